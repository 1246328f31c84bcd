# Sourced by the scripts beside it: finds Python >= 3.11, makes .venv in the repository root and installs realedit into
# it with the extras asked for. Does nothing where that was done for this pyproject.toml before.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
py=$venv/bin/python

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$candidate" >/dev/null 2>&1 &&
            "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "realedit needs Python 3.11 or newer on the PATH; install one, or name it: PYTHON=/path/to/python3.12 $0" >&2
    return 1
}

ensure_env() { # ensure_env EXTRAS, e.g. demo or demo,dev
    local extras=$1 base want stamp
    stamp=$venv/.installed-${extras//,/-}
    want=$(cksum <"$root/pyproject.toml")
    [ -x "$py" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ] && return
    if ! [ -x "$py" ] || ! "$py" -m pip --version >/dev/null 2>&1; then
        base=$(find_python)
        "$base" -m venv --clear "$venv" || {
            echo "cannot make $venv: on Debian and Ubuntu, install the package python3-venv first" >&2
            return 1
        }
    fi
    echo "installing realedit[$extras] into $venv (torch is several GB; this happens once)" >&2
    "$py" -m pip install --quiet --disable-pip-version-check --editable "$root[$extras]"
    printf '%s\n' "$want" >"$stamp"
}
