"""A media host on loopback that answers each path as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
)


@dataclass
class MediaHost:
    """`answers` by path: (status, headers, body); `asked` are the headers of each request with its path."""

    origin: str = ""
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, body: bytes, content_type: str = "image/png", **headers: str) -> str:
        """A link to `body`; `headers` with underscores for dashes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        length = {"content-length": str(len(body))}
        self.answers[path] = (200, {**length, "content-type": content_type, **named}, body)
        return self.origin + path

    def refuse(self, path: str, status: int) -> str:
        self.answers[path] = (status, {"content-length": "0"}, b"")
        return self.origin + path

    def redirect(self, path: str, target: str) -> str:
        self.answers[path] = (302, {"location": target, "content-length": "0", "set-cookie": "a=b"}, b"")
        return self.origin + path


def _handler(host: MediaHost) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            host.asked.append((path, {name.lower(): value for name, value in self.headers.items()}))
            status, headers, body = host.answers.get(path, (404, {"content-length": "0"}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """The test's own assertions tell what was asked."""

    return Handler


@contextmanager
def running() -> Iterator[MediaHost]:
    host = MediaHost()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(host))
    host.origin = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
