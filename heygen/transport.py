"""One HTTP attempt: bytes out, bytes in, or a typed error. No retry, no redirect, no sleep.

Uses the adapters of a `requests` session directly: `Session.send` would follow redirects (and read their
bodies without limit), look at the environment and keep cookies, none of which is wanted here, and costs as
much time as the rest.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import RawIOBase
from typing import Any, Protocol, cast

import requests
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import ConnectTimeoutError, DecodeError, HTTPError, MaxRetryError, NewConnectionError

from heygen.errors import ApiError, BadPayload, NoAnswer, NotSent, Refused
from heygen.json_types import JsonObject
from heygen.pool import USER_AGENT, Deadline, within

BODY_LIMIT = 2 * 1024 * 1024  # bytes of a JSON answer after decompression
MESSAGE_LIMIT = 400  # characters kept of a body that is no JSON
RETRY_AFTER_LIMIT = 366 * 86_400.0  # seconds; longer waits overflow dates and mean "never" anyway

_SECONDS = re.compile(r"\d+(\.\d+)?")


class Secret:
    """A key that shows itself in no repr, string, format or traceback; `reveal` gives it to the wire."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", value):
            raise ValueError("an API key is printable ASCII without spaces")
        self._value = value

    def reveal(self) -> str:
        return self._value

    def hide_in(self, text: str) -> str:
        """`text` without the key."""
        return text.replace(self._value, "[key]")

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a key is not pickled: pass the id of its workspace")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent. `template` is the path with placeholders ("" for another host), `key` None sends none."""

    method: str
    url: str
    template: str
    key: Secret | None
    headers: Mapping[str, str]
    body: bytes | RawIOBase | None = field(repr=False)

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        template: str,
        key: Secret,
        headers: Mapping[str, str],
        body: JsonObject | RawIOBase | None,
    ) -> Request:
        """A request with a JSON body, a file's bytes (whose headers must say type and length) or none."""
        if not isinstance(body, dict):
            return cls(method, url, template, key, headers, body)
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return cls(method, url, template, key, {"Content-Type": "application/json", **headers}, encoded)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of any status but a redirect; `body` is decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class Recorder(Protocol):
    def sent(self, request: Request) -> None:
        """Told about every request right before it is sent."""


# Tests put theirs here to hold every request of the suite against the contract.
recorders: list[Recorder] = []


def attempt(
    http: requests.Session, request: Request, deadline: Deadline, *, limit: int = BODY_LIMIT
) -> Answer:
    """Send `request` once and read the whole answer.

    Raises NotSent, NoAnswer, or for a redirect Refused; BadPayload for a success whose body is larger than
    `limit` or cannot be decompressed. An error answer is returned even when its body is unreadable. All of
    it within the deadline, name resolution excepted: that has the resolver's own timeout.
    """
    response = opened(http, request, deadline)
    status = response.status_code
    failure: ApiError
    body = b""
    try:
        # One byte more than is allowed tells "just fits" from "too large".
        body = response.raw.read(limit + 1, decode_content=True)
    except DecodeError:
        failure = BadPayload("the answer cannot be decompressed", status=status, code="undecodable")
    except (HTTPError, OSError, ValueError) as problem:
        code = "timeout" if deadline.over else "cut_off"
        failure = NoAnswer(f"the answer broke off ({_words(problem)})", status=status, code=code)
    else:
        if len(body) <= limit:
            return Answer(status, response.headers, body)
        failure = BadPayload(f"the answer is larger than {limit} bytes", status=status, code="too_large")
    response.raw.close()
    if status >= 400:
        # A refusal is one whatever became of its text; `Retry-After` above all must not be lost.
        return Answer(status, response.headers, body[:limit])
    # Outside the except block: the exceptions of `requests` hold the request and with it the key.
    raise failure


def opened(http: requests.Session, request: Request, deadline: Deadline) -> requests.Response:
    """Send `request` and read the head of the answer; the body is still to be read from `.raw`, and closed.

    Raises as `attempt` does.
    """
    for recorder in recorders:
        recorder.sent(request)
    failure: ApiError
    try:
        with within(deadline):
            response = http.get_adapter(request.url).send(
                _prepared(http, request),
                stream=True,
                timeout=deadline.remaining(),
                verify=True,
                proxies={},
            )
    except (requests.RequestException, HTTPError, OSError, ValueError) as problem:
        failure = _unanswered(problem, deadline)
    else:
        status = response.status_code
        if 200 <= status < 300 or status >= 400:
            return response
        response.raw.close()
        if status < 200:
            # The real answer may follow on this connection; it must not meet the next request there.
            failure = NoAnswer("an interim answer instead of a final one", status=status, code="interim")
        else:
            failure = Refused(
                "answered with a redirect, which is not followed", status=status, code="redirect"
            )
    raise failure


def _prepared(http: requests.Session, request: Request) -> requests.PreparedRequest:
    """What `Session.prepare_request` would make, without cookies, auth and hooks to merge."""
    headers: Any = {
        "User-Agent": str(http.headers.get("User-Agent") or USER_AGENT),
        "Accept-Encoding": "gzip",
        "Accept": "application/json",
    }
    if request.headers:
        # The same name may be written otherwise there. urllib3 copies headers, and a plain dict at a tenth of the cost.
        headers = CaseInsensitiveDict(headers)
        headers.update(request.headers)
    if request.key is not None:
        headers["x-api-key"] = request.key.reveal()
    if isinstance(request.body, bytes):
        headers["Content-Length"] = str(len(request.body))
    elif request.body is None and request.method in {"POST", "PUT", "PATCH"}:
        headers["Content-Length"] = "0"
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = request.url
    prepared.headers = headers
    # requests' annotation leaves out the files that it takes.
    prepared.body = cast(Any, request.body)
    return prepared


def _unanswered(problem: Exception, deadline: Deadline) -> ApiError:
    cause: Any = problem.args[0] if problem.args else problem
    if isinstance(cause, MaxRetryError):
        cause = cause.reason
    if isinstance(cause, (NewConnectionError, ConnectTimeoutError)) or isinstance(
        problem, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)
    ):
        return NotSent(_reason(cause), code="unreachable")
    if deadline.over or isinstance(problem, requests.Timeout):
        return NoAnswer("no answer in time", code="timeout")
    return NoAnswer(f"the connection broke ({_words(cause)})", code="cut_off")


def _reason(cause: object) -> str:
    """Why there is no connection: urllib3 puts "<connection>: " before it."""
    return str(cause).partition(": ")[2] or f"no connection ({type(cause).__name__})"


def _words(problem: object) -> str:
    """What broke, in few words: class and operating system's text, never the request."""
    inner = problem
    while isinstance(inner, Exception) and not isinstance(inner, OSError):
        nested = next((part for part in inner.args if isinstance(part, Exception)), None)
        if nested is None:
            break
        inner = nested
    name = type(inner).__name__
    return f"{name}: {inner.strerror}" if isinstance(inner, OSError) and inner.strerror else name


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for, from a number or an HTTP date; None when absent or unusable.

    A date counts from the answer's own `Date`, so that a wrong clock on either side changes nothing.
    """
    value = (headers.get("Retry-After") or "").strip()
    if not value:
        return None
    # A header that came twice (a proxy added its own) arrives as one: the longest counts.
    numbers = [part.strip() for part in value.split(",")]
    if all(_SECONDS.fullmatch(number) for number in numbers):
        return min(max(map(float, numbers)), RETRY_AFTER_LIMIT)
    until = _date(value)
    if until is None:
        return None
    now = _date(headers.get("Date") or "") or datetime.fromtimestamp(time.time(), UTC)
    return min(max(0.0, (until - now).total_seconds()), RETRY_AFTER_LIMIT)


def _date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed
