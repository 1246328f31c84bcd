"""The guides as a site: built without a network, no dead link, nothing fetched from elsewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import realedit

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"

pytest.importorskip("mkdocs", reason="pip install 'realedit[dev]'")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in a process that can reach no other machine."""
    folder = tmp_path_factory.mktemp("site")
    code = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise OSError('the network was used')\n"
        "socket.create_connection = socket.getaddrinfo = refuse\n"
        "from mkdocs.__main__ import cli\n"
        "sys.argv = ['mkdocs', *sys.argv[1:]]\n"
        "cli()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


class _Fetched(HTMLParser):
    """What a browser would fetch to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("script", "img", "iframe", "source", "video"):
            self.addresses.append(given.get("src") or "")
        elif tag == "link" and given.get("rel") in ("stylesheet", "preload", "icon", "preconnect"):
            self.addresses.append(given.get("href") or "")


def test_no_page_fetches_anything_from_elsewhere(site: Path) -> None:
    pages = [path for path in site.rglob("*.html") if path.name != "404.html"]
    assert len(pages) == len(list(GUIDE.glob("*.md")))
    for page in pages:
        parser = _Fetched()
        parser.feed(page.read_text())
        outside = [each for each in parser.addresses if re.match(r"(https?:)?//", each)]
        assert not outside, f"{page.name}: {outside}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//", sheet.read_text()), sheet


def test_every_exported_name_is_in_the_reference(site: Path) -> None:
    reference = (site / "reference" / "index.html").read_text()
    anchors = set(re.findall(r'id="([\w.]+)"', reference))
    for name in set(realedit.__all__) - {"__version__"}:
        assert any(each.rpartition(".")[2] == name for each in anchors), name


def test_commands_in_the_guides_are_commands(site: Path) -> None:
    from tests.realedit.cli.commands import COMMANDS

    told = "\n".join(path.read_text() for path in (*GUIDE.glob("*.md"), ROOT / "README.md"))
    options = {
        name: {option for each in command.params for option in each.opts} | {"--help"}
        for name, command in COMMANDS.items()
    }
    lines = re.findall(r"^ +(realedit (?!-)[^\n#<|]*)", told, re.MULTILINE)
    assert len(lines) > 25
    for line in lines:
        words = line.split()
        name = next((each for each in (" ".join(words[1:3]), words[1]) if each in options), None)
        if name is None and words[1] == "jobs":
            name = f"jobs {words[3]}"
        assert name is not None, line
        used = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert used <= options[name], line
