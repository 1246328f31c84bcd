"""Downloads from a server that cuts, lies and wanders: the right bytes, or a sentence."""

import errno
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checkpoints import CapacityError, DownloadError
from checkpoints.download import DownloadSettings, download

from . import server
from .server import Site, serving

CONTENT = random.Random(0).randbytes(700_000)
QUICK = DownloadSettings(attempts=3, timeout=5.0, pause=0.01)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving(CONTENT) as found:
        yield found


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "model.part"


def fetch(site: Site, part: Path, **options: Any) -> None:
    download(site.url, part, settings=options.pop("settings", QUICK), **options)


def nothing_is_left(part: Path) -> bool:
    return list(part.parent.iterdir()) == []


def test_a_plain_download_reports_progress(site: Site, part: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    fetch(site, part, progress=lambda done, total: seen.append((done, total)))
    assert part.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and len(seen) > 1
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_cut_connection_is_resumed(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.cut(200_000)]
    fetch(site, part)
    assert part.read_bytes() == CONTENT
    assert [r.get("range") for r in site.requests] == [None, "bytes=100000-", "bytes=300000-"]
    assert site.requests[1]["if-range"] == '"one"'


def test_a_later_call_goes_on_where_the_first_gave_up(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.cut(0), server.cut(0), server.cut(0)]
    with pytest.raises(DownloadError, match=r"0\.1 MB are kept"):
        fetch(site, part)
    assert part.read_bytes() == CONTENT[:100_000]
    fetch(site, part)
    assert part.read_bytes() == CONTENT
    assert site.requests[-1]["range"] == "bytes=100000-"


def test_a_server_without_ranges_starts_over(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.ignoring_range]
    fetch(site, part)
    assert part.read_bytes() == CONTENT


def test_a_server_that_sends_another_range_is_not_believed(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.wrong_range]
    fetch(site, part)
    assert part.read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_starts_over(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.cut(0), server.cut(0), server.cut(0)]
    with pytest.raises(DownloadError):
        fetch(site, part)
    site.content, site.etag = CONTENT[::-1], '"two"'
    fetch(site, part)
    assert part.read_bytes() == CONTENT[::-1]


def test_a_part_of_another_address_is_dropped(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.cut(0), server.cut(0), server.cut(0)]
    with pytest.raises(DownloadError):
        fetch(site, part)
    site.content = CONTENT[::-1]
    download(site.url + "?other", part, settings=QUICK)
    assert part.read_bytes() == CONTENT[::-1]


def test_a_part_that_is_too_long_is_dropped(site: Site, part: Path) -> None:
    site.faults = [server.cut(100_000), server.cut(0), server.cut(0), server.cut(0)]
    with pytest.raises(DownloadError):
        fetch(site, part)
    part.write_bytes(bytes(len(CONTENT) + 10))
    fetch(site, part)
    assert part.read_bytes() == CONTENT


def test_a_part_that_is_complete_needs_no_byte(site: Site, part: Path) -> None:
    fetch(site, part)
    fetch(site, part)
    assert part.read_bytes() == CONTENT
    assert site.requests[-1]["range"] == f"bytes={len(CONTENT)}-"


@pytest.mark.parametrize("answer", [server.without_length, server.chunked()])
def test_unknown_lengths(site: Site, part: Path, answer: server.Answer) -> None:
    site.always = answer
    fetch(site, part)
    assert part.read_bytes() == CONTENT


def test_a_chunked_answer_that_is_cut_is_not_taken_for_whole(site: Site, part: Path) -> None:
    site.faults = [server.chunked(until=50_000)]
    fetch(site, part)
    assert part.read_bytes() == CONTENT
    assert len(site.requests) == 2


def test_a_known_size_completes_an_unknown_length(site: Site, part: Path) -> None:
    site.always = server.without_length
    fetch(site, part, size=len(CONTENT))
    assert part.read_bytes() == CONTENT


def test_another_size_than_the_known_one_is_refused_before_it_is_fetched(site: Site, part: Path) -> None:
    with pytest.raises(DownloadError, match=r"700000 bytes, but the model has 800000"):
        fetch(site, part, size=800_000)
    assert nothing_is_left(part)


def test_more_bytes_than_announced_are_not_taken(site: Site, part: Path) -> None:
    site.always = server.lying_length(-1000)  # the client stops at the announced length
    fetch(site, part)
    assert part.read_bytes() == CONTENT[:-1000]


def test_fewer_bytes_than_announced_end_in_a_sentence(site: Site, part: Path) -> None:
    site.always = server.lying_length(1000)
    with pytest.raises(DownloadError, match="connection ended early"):
        fetch(site, part)


def test_passing_server_errors_are_tried_again(site: Site, part: Path) -> None:
    site.faults = [server.status(503), server.status(429)]
    fetch(site, part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("code", "match"), [(404, "404"), (403, "browser"), (401, "login"), (407, "proxy"), (410, "410")]
)
def test_final_answers_are_final(site: Site, part: Path, code: int, match: str) -> None:
    site.always = server.status(code)
    with pytest.raises(DownloadError, match=match):
        fetch(site, part)
    assert len(site.requests) == 1
    assert nothing_is_left(part)


def test_server_errors_that_stay(site: Site, part: Path) -> None:
    site.always = server.status(500)
    with pytest.raises(DownloadError, match="500"):
        fetch(site, part)
    assert len(site.requests) == QUICK.attempts


def test_a_web_page_is_no_model(site: Site, part: Path) -> None:
    site.always = server.page
    with pytest.raises(DownloadError, match="web page"):
        fetch(site, part)
    assert nothing_is_left(part)


def test_redirects_are_followed(site: Site, part: Path) -> None:
    site.faults = [server.redirect("/elsewhere.pkl")]
    fetch(site, part)
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirects_out_of_the_web_are_not(site: Site, part: Path, target: str) -> None:
    site.always = server.redirect(target)
    with pytest.raises(DownloadError, match=r"not (followed|allowed)"):
        fetch(site, part)
    assert nothing_is_left(part)


def test_endless_redirects(site: Site, part: Path) -> None:
    site.always = server.redirect("/again")
    with pytest.raises(DownloadError, match="302"):
        fetch(site, part)


def test_silence(site: Site, part: Path) -> None:
    site.always = server.silence(2.0)
    with pytest.raises(DownloadError, match=r"silent|early|closed"):
        fetch(site, part, settings=DownloadSettings(attempts=1, timeout=0.2, pause=0.0))


def test_nobody_there(part: Path) -> None:
    with serving(b"") as site:
        url = site.url
    with pytest.raises(DownloadError, match="refuses connections"):
        download(url, part, settings=QUICK)
    assert nothing_is_left(part)


def test_no_network(part: Path) -> None:
    with pytest.raises(DownloadError, match="host is not found"):
        download("http://no-such-host.invalid/x", part, settings=QUICK)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "model.pkl"])
def test_only_web_addresses(part: Path, url: str) -> None:
    with pytest.raises(DownloadError, match="no web address"):
        download(url, part)


def test_an_absurd_length_is_refused(site: Site, part: Path) -> None:
    site.always = server.lying_length(1 << 50)
    with pytest.raises(DownloadError, match="more than any model"):
        fetch(site, part)
    assert nothing_is_left(part)


def test_too_little_room_is_seen_before(site: Site, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(CapacityError, match="make room"):
        fetch(site, part)
    assert nothing_is_left(part)


def test_a_disk_that_fills_up_gets_its_room_back(
    site: Site, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.open

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(self: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        file = original(self, mode, *args, **options)
        return Full(file) if mode == "ab" else file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(CapacityError, match="disk is full"):
        fetch(site, part)
    assert nothing_is_left(part)
