# Sourced by the scripts beside it: the programs that some tests drive, beside what pip installs.

# program=package of Debian and Ubuntu
system_programs=(
    chromium=chromium exiftool=libimage-exiftool-perl identify=imagemagick tiffcp=libtiff-tools git=git
    openssl=openssl systemd-analyze=systemd setpriv=util-linux mount=mount
)

missing_programs() { # the programs that are not there, one a line, as in the list above
    local pair
    for pair in "${system_programs[@]}"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || printf '%s\n' "$pair"
    done
}

ensure_system() { # installs what is missing where this is root and apt is there; else says so, and fails
    local missing packages
    mapfile -t missing < <(missing_programs)
    [ ${#missing[@]} -eq 0 ] && return
    packages=("${missing[@]#*=}")
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "installing ${packages[*]}, which some tests drive" >&2
        apt-get update -qq >&2 &&
            DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >&2 || true
        mapfile -t missing < <(missing_programs)
        [ ${#missing[@]} -eq 0 ] && return
    fi
    echo "missing: ${missing[*]%%=*}. Tests that drive them are skipped. On Debian and Ubuntu:" \
        "sudo apt-get install ${missing[*]#*=}" >&2
    return 1
}
