"""Downloads that go on where they stopped: HTTP with Range, into a `.part` file."""

import contextlib
import http.client
import logging
import socket
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from .errors import DownloadError
from .files import megabytes, require_disk, write_error
from .formats.sniff import is_web_page

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and the total, None where the server does not say."""

log = logging.getLogger(__name__)

_CHUNK = 1 << 18
_FAILURES = (OSError, http.client.HTTPException)  # URLError, timeouts and resets are OSErrors


@dataclass(frozen=True, kw_only=True)
class DownloadSettings:
    """How patient to be. attempts: in a row without a new byte; timeout: seconds of silence."""

    attempts: int = 4
    timeout: float = 30.0
    pause: float = 1.0
    max_size: int = 8 << 30


class _Part(msgspec.Struct):
    """What a partial file is a part of."""

    url: str
    validator: str | None = None


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https only, and never from https to http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        before, after = urllib.parse.urlsplit(req.full_url).scheme, urllib.parse.urlsplit(newurl).scheme
        if after not in ("http", "https") or (before == "https" and after == "http"):
            raise DownloadError(f"{req.full_url} redirects to {newurl:.200}, which is not followed.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(
    url: str,
    part: Path,
    *,
    size: int | None = None,
    settings: DownloadSettings | None = None,
    progress: Progress | None = None,
) -> None:
    """Bring the content of `url` into the file `part`, going on from what is there of an earlier attempt.

    size: of the whole file in bytes, where it is known. After a dropped connection it tries again by itself,
    and `part` stays for the next call when it gives up; anything that is no part of the right file is
    deleted. Raises DownloadError, CapacityError on a full disk.
    """
    settings = settings or DownloadSettings()
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise DownloadError(f"{url} is no web address; give one that starts with https://, or a file.")
    if not _continues(part, url):
        forget(part)
    failures = 0
    while True:
        before = _size(part)
        try:
            if _fetch(url, part, size, settings, progress):
                return
            reason = "the connection ended early"
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                forget(part)
                raise DownloadError(_http_sentence(url, error)) from error
            reason = f"the server answered {error.code} {error.reason}"
        except _FAILURES as error:
            reason = _reason(error)
            if _is_final(error):
                raise DownloadError(_gave_up(url, reason, _size(part))) from error
        failures = 0 if _size(part) > before else failures + 1
        if failures >= settings.attempts:
            raise DownloadError(_gave_up(url, reason, _size(part)))
        log.info("%s: %s, trying again", url, reason)
        time.sleep(settings.pause * failures)


def forget(part: Path) -> None:
    """Delete a partial file and what is remembered of it."""
    part.unlink(missing_ok=True)
    _note(part).unlink(missing_ok=True)


def _fetch(
    url: str, part: Path, size: int | None, settings: DownloadSettings, progress: Progress | None
) -> bool:
    """One request; True when the file is complete. Partial content stays in `part`."""
    start = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "realedit", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        validator = _read_note(part).validator
        if validator:
            request.add_header("If-Range", validator)
    opener = urllib.request.build_opener(_Redirects)
    try:
        response = opener.open(request, timeout=settings.timeout)
    except urllib.error.HTTPError as error:
        if error.code != 416:
            raise
        if str(start) in (str(size), error.headers.get("Content-Range", "").rpartition("/")[2]):
            return True  # it was complete already
        forget(part)  # longer than the file on the server: not a part of it
        return False
    with contextlib.closing(response):
        start, total = _check_answer(response, url, part, start, size, settings)
        _save(response, part, start, total, settings, progress)
    have = _size(part)
    if total is not None and have > total:
        forget(part)
        raise DownloadError(f"{url} sent more than the {total} bytes it announced; try again later.")
    return have == total if total is not None else True


def _check_answer(
    response: Any, url: str, part: Path, start: int, size: int | None, settings: DownloadSettings
) -> tuple[int, int | None]:
    """Where the answer's body belongs in the file, and how long the file is in all."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isascii() and length.isdigit() else None
    if response.status == 206:
        begin, total = _content_range(response.headers.get("Content-Range", ""))
        if begin != start:
            forget(part)
            raise OSError(f"the server sent bytes from {begin}, not from {start}")
    else:
        start = 0  # the whole file, whatever was asked for
    if size is not None and total is not None and total != size:
        forget(part)
        raise DownloadError(
            f"{url} offers a file of {total} bytes, but the model has {size}; the file there is another one."
        )
    total = size if total is None else total
    if (total or 0) > settings.max_size:
        forget(part)
        raise DownloadError(f"{url} offers {total} bytes, more than any model has; check the address.")
    require_disk(part.parent, (total or 0) - start, f"Downloading {url}")
    headers = response.headers
    _write_note(part, _Part(url, headers.get("ETag") or headers.get("Last-Modified")))
    return start, total


def _content_range(value: str) -> tuple[int, int | None]:
    """Start and total of a header such as `bytes 100-199/1000`."""
    span, _, total = value.removeprefix("bytes ").partition("/")
    begin = span.partition("-")[0]
    if not begin.isdigit():
        raise OSError(f"the server's Content-Range {value!r:.80} makes no sense")
    return int(begin), int(total) if total.isdigit() else None


def _save(
    response: Any,
    part: Path,
    start: int,
    total: int | None,
    settings: DownloadSettings,
    progress: Progress | None,
) -> None:
    """Append the answer's body to the file. Network errors leave what has come, write errors do not."""
    limit = settings.max_size if total is None else total
    have = start
    with _writing(part), part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(start)
        file.seek(start)
    while chunk := response.read1(_CHUNK):
        if have == 0 and is_web_page(chunk):
            forget(part)
            raise DownloadError(
                f"{response.url} is a web page, not a model; it may ask for a login or have moved."
            )
        with _writing(part), part.open("ab") as file:
            file.write(chunk)
        have += len(chunk)
        if progress is not None:
            progress(have, total)
        if have > limit:
            return


@contextlib.contextmanager
def _writing(part: Path) -> Iterator[None]:
    """Tell the disk's errors from the network's; a full disk is given its room back."""
    try:
        yield
    except OSError as error:
        with contextlib.suppress(OSError):
            forget(part)
        raise write_error(error, part) from error


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _note(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_note(part: Path) -> _Part:
    try:
        return msgspec.json.decode(_note(part).read_bytes(), type=_Part)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return _Part("")


def _write_note(part: Path, note: _Part) -> None:
    with _writing(part):
        _note(part).write_bytes(msgspec.json.encode(note))


def _continues(part: Path, url: str) -> bool:
    return part.exists() and _read_note(part).url == url


def _is_final(error: Exception) -> bool:
    """Whether trying again at once is pointless: no such host, or a certificate that does not hold."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(reason, ssl.SSLError | socket.gaierror)


def _reason(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, socket.gaierror):
        return "its host is not found (no network, or a proxy is needed: set https_proxy)"
    if isinstance(reason, TimeoutError):
        return "the server fell silent"
    if isinstance(reason, ConnectionRefusedError):
        return "the server refuses connections"
    if "407" in str(reason):
        return "the proxy asks for a login (put it into https_proxy)"
    return str(reason).strip() or type(reason).__name__


def _http_sentence(url: str, error: urllib.error.HTTPError) -> str:
    remedy = {
        401: "it asks for a login; download it with a browser and use --from FILE",
        403: "access is refused; download it with a browser and use --from FILE",
        404: "the file is not there (any more); use --from with another address or a file",
        407: "the proxy asks for a login; put it into https_proxy",
    }.get(error.code, "try again later, or use --from with another address or a file")
    return f"{url} cannot be downloaded: the server answered {error.code} {error.reason}; {remedy}."


def _gave_up(url: str, reason: str, have: int) -> str:
    kept = f" {megabytes(have)} are kept: run the same command again to go on." if have else ""
    return f"{url} cannot be downloaded: {reason}; try again, or use --from FILE.{kept}"
