"""A local web server that misbehaves on request."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answer = Callable[["Handler"], None]


@dataclass
class Site:
    """What the server serves, how it misbehaves, what it was asked. faults: one per request, then none."""

    content: bytes
    faults: list[Answer] = field(default_factory=list)
    always: Answer | None = None
    etag: str | None = '"one"'
    requests: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.requests.append({key.lower(): value for key, value in self.headers.items()})
        if self.site.always is not None:
            self.site.always(self)
        elif self.site.faults:
            self.site.faults.pop(0)(self)
        else:
            properly(self)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def start(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.site.etag:
            self.send_header("ETag", self.site.etag)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True


def properly(handler: Handler, limit: int | None = None) -> None:
    """Serve the file or the range that is asked for; `limit` cuts the connection after that many bytes."""
    content = handler.site.content
    asked = handler.headers.get("Range")
    current = handler.headers.get("If-Range") in (None, handler.site.etag)
    if asked and current:
        begin = int(asked.removeprefix("bytes=").rstrip("-"))
        if begin >= len(content):
            handler.start(416, 0, Content_Range=f"bytes */{len(content)}")
            return
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        handler.start(206, len(content) - begin, Content_Range=span)
        content = content[begin:]
    else:
        handler.start(200, len(content))
    handler.wfile.write(content[:limit])


def cut(after: int) -> Answer:
    """Close the connection after some bytes."""
    return lambda handler: properly(handler, after)


def ignoring_range(handler: Handler) -> None:
    """Send everything whatever was asked for."""
    handler.start(200, len(handler.site.content))
    handler.wfile.write(handler.site.content)


def wrong_range(handler: Handler) -> None:
    """Answer a range with another one."""
    content = handler.site.content
    handler.start(206, len(content), Content_Range=f"bytes 0-{len(content) - 1}/{len(content)}")
    handler.wfile.write(content)


def without_length(handler: Handler) -> None:
    """Say nothing of the length."""
    handler.start(200, None)
    handler.wfile.write(handler.site.content)


def chunked(until: int | None = None) -> Answer:
    """Send in chunks; `until` ends it in the middle."""

    def answer(handler: Handler) -> None:
        handler.start(200, None, Transfer_Encoding="chunked")
        content = handler.site.content[:until]
        for at in range(0, len(content), 1000):
            piece = content[at : at + 1000]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if until is None:
            handler.wfile.write(b"0\r\n\r\n")

    return answer


def lying_length(by: int) -> Answer:
    """Announce another length than is sent."""

    def answer(handler: Handler) -> None:
        handler.start(200, len(handler.site.content) + by)
        handler.wfile.write(handler.site.content)

    return answer


def status(code: int) -> Answer:
    """Refuse with a status."""
    return lambda handler: handler.start(code, 0)


def page(handler: Handler) -> None:
    """A page for people where a file should be."""
    data = b"<!DOCTYPE html><html><body>Please sign in.</body></html>"
    handler.start(200, len(data), Content_Type="text/html")
    handler.wfile.write(data)


def redirect(to: str) -> Answer:
    """Send elsewhere."""
    return lambda handler: handler.start(302, 0, Location=to)


def silence(seconds: float) -> Answer:
    """Say nothing for a while."""
    return lambda handler: threading.Event().wait(seconds) and None


@contextmanager
def serving(content: bytes) -> Iterator[Site]:
    """A server on a free port of this machine, as long as the context."""
    site = Site(content)
    handler = type("SiteHandler", (Handler,), {"site": site})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_address[1]}/model.pkl"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
