"""Kept-alive connections whose every socket operation knows when the whole call must be over.

A timeout of `requests` is one for each read of the socket: a server that sends one byte a second holds a
caller for ever, in the headers already. Here each read, write and connect gets what is left of the call's
`Deadline`. The classes plug into the places that urllib3 and http.client have for it: connection and
response class.
"""

from __future__ import annotations

import functools
import io
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from http.client import HTTPResponse
from socket import (
    AF_UNSPEC,
    IPPROTO_TCP,
    SOCK_STREAM,
    TCP_NODELAY,
    SocketIO,
    gaierror,
    getaddrinfo,
    socket,
)
from typing import Any
from urllib.parse import urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError, SSLError

VERSION = "0.1.0"
USER_AGENT = f"Dailies/{VERSION}"

# A host has a few addresses: one that swallows packets must not use up the time of the others.
CONNECT_SECONDS = 10.0
# A write reuses a connection that answered so recently: the shortest keep-alive of common servers is 5 s.
FRESH_SECONDS = 2.0
# How much is handed to the socket at once: between two pieces the deadline is looked at again.
SEND_BYTES = 256 * 1024


class Deadline:
    """When a call must be over, and how long it may hear nothing meanwhile (seconds, monotonic clock)."""

    __slots__ = ("end", "idle")

    def __init__(self, seconds: float, *, idle: float | None = None) -> None:
        self.end = time.monotonic() + seconds
        self.idle = idle

    def remaining(self) -> float:
        """Seconds for the next socket operation; raises TimeoutError when none are left."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the call is over")
        return left if self.idle is None else min(left, self.idle)

    @property
    def over(self) -> bool:
        return time.monotonic() >= self.end


# The pool hands a connection to whoever asks next, and urllib3 passes no more than a number of seconds down
# to it: this is how a connection learns about the call that uses it.
_current: ContextVar[Deadline | None] = ContextVar("heygen_deadline", default=None)


@contextmanager
def within(deadline: Deadline) -> Iterator[None]:
    """Connections used in this block obey `deadline`; so does the body of an answer that outlives it."""
    token = _current.set(deadline)
    try:
        yield
    finally:
        _current.reset(token)


class _TimedReader(io.RawIOBase):
    """The reading half of a socket; each read may take as long as the deadline leaves."""

    def __init__(self, inner: SocketIO, connected: socket, deadline: Deadline) -> None:
        self._inner = inner
        self._connected = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connected.settimeout(self._deadline.remaining())
        return self._inner.readinto(buffer)

    def fileno(self) -> int:
        return self._inner.fileno()

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """http.client's answer, read through a `_TimedReader`."""

    def __init__(self, sock: socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        deadline = _current.get()
        if deadline is not None:
            self.fp.close()
            inner = sock.makefile("rb", buffering=0)
            self.fp = io.BufferedReader(_TimedReader(inner, sock, deadline))


class _Timed(HTTPConnection):
    """A connection that obeys the deadline of the call, and is fresh for a write.

    A server closes what is idle for some seconds. When a request crosses that on the wire nobody can say
    whether it was handled; for a read that costs one poll, for a write it asks a person.
    """

    response_class = _TimedResponse
    _answered_at = 0.0

    def request(self, method: str, *args: Any, **options: Any) -> None:
        idle = time.monotonic() - self._answered_at
        if method != "GET" and self.sock is not None and self._answered_at and idle > FRESH_SECONDS:
            self.close()
        super().request(method, *args, **options)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self._answered_at = time.monotonic()
        return response

    def close(self) -> None:
        super().close()
        self._answered_at = 0.0

    def _new_conn(self) -> socket:
        """A connected socket, trying every address of the host within the deadline."""
        deadline = _current.get() or Deadline(self.timeout or CONNECT_SECONDS)
        try:
            addresses = getaddrinfo(self._dns_host, self.port, AF_UNSPEC, SOCK_STREAM)
        except (gaierror, UnicodeError) as problem:
            reason = problem if isinstance(problem, gaierror) else gaierror(str(problem))
            raise NameResolutionError(self.host, self, reason) from None
        failure = "it has no address"
        for family, kind, protocol, _, address in addresses:
            connected = socket(family, kind, protocol)
            try:
                connected.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                connected.settimeout(min(CONNECT_SECONDS, deadline.remaining()))
                connected.connect(address)
                connected.settimeout(deadline.remaining())
                return connected
            except OSError as problem:
                connected.close()
                failure = problem.strerror or str(problem)
        raise NewConnectionError(self, f"no connection to {self.host}: {failure}")

    def send(self, data: Any) -> None:
        deadline = _current.get()
        if deadline is None or not isinstance(data, bytes):
            super().send(data)
            return
        if self.sock is None:
            self.connect()
        for start in range(0, len(data), SEND_BYTES) or (0,):
            self.sock.settimeout(deadline.remaining())
            super().send(data[start : start + SEND_BYTES])


class _TimedTLS(_Timed, HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, ValueError, SSLError) as problem:
            # Until the handshake is done nothing of the request is sent. urllib3 would report a handshake
            # that timed out like an answer that did.
            raise NewConnectionError(self, f"no TLS connection to {self.host}: {problem}") from None


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Timed


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedTLS


class _Adapter(HTTPAdapter):
    """Makes the timed connections; trusts what certifi lists, loaded once for the process."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=_certificates(), **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    # What requests does here looks for proxies and certificates at every call: an eighth of its time.
    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> HTTPConnectionPool:
        parts = urlsplit(str(request.url))
        pool: HTTPConnectionPool = self.poolmanager.connection_from_host(
            parts.hostname, parts.port, parts.scheme
        )
        return pool

    def request_url(self, request: requests.PreparedRequest, proxies: Any) -> str:
        return request.path_url

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """As much of an answer as `transport` looks at; to search it for cookies alone costs a tenth of a poll."""
        response = requests.Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        return response

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Nothing: naming the bundle here would make urllib3 load it again for each connection (16 ms)."""


# Connections kept for each host: what is over is made anew for every call. Two lanes of 256 threads, the most there are.
POOL_SIZE = 512


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def pooled_http(pool_size: int = POOL_SIZE) -> requests.Session:
    """A `requests` session that keeps up to `pool_size` connections alive for each host.

    It ignores proxies and .netrc of the environment and keeps no cookies. May be shared by threads and by
    clients with different keys: the key belongs to the request.
    """
    http = requests.Session()
    http.trust_env = False
    http.headers["User-Agent"] = USER_AGENT
    http.mount("https://", _Adapter(pool_connections=8, pool_maxsize=pool_size))
    http.mount("http://", _Adapter(pool_connections=8, pool_maxsize=pool_size))
    return http


@functools.cache
def shared_http() -> requests.Session:
    """The one pool that all clients of this process use unless they are given another."""
    return pooled_http()
