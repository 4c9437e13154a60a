"""The words of a live stream as they are spoken: server-sent events, read with deadlines.

Source: GET /v3/avatar-realtime/{stream_id}/words, heygen-api.md section 9.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from heygen.decoding import WrongShape, parse
from heygen.envelopes import failure
from heygen.errors import BadPayload, NoAnswer
from heygen.transport import BODY_LIMIT, Answer
from heygen.types import EndOfWords, WordBatch

LINE_LIMIT = 256 * 1024  # bytes of one line
STREAM_LIMIT = 64 * 1024 * 1024  # bytes of one whole subscription; an hour of speech is about 1 MB


class WordStream:
    """An open subscription: iterate over it once, in one thread, and close it (or use `with`).

    Gives WordBatch after WordBatch and, when the server said so, EndOfWords as the last. Without
    EndOfWords the time was over or nothing came for long: subscribe again, and *replace* what is known,
    because each subscription replays everything from the first word. Raises NoAnswer when the
    connection breaks and BadPayload when what comes is not the documented events.
    """

    def __init__(self, response: requests.Response) -> None:
        self._response = response
        self._items = self._read()

    @classmethod
    def over(cls, response: requests.Response) -> Self:
        """Take over an opened answer; an error answer is raised here, as its type."""
        status = response.status_code
        kind = response.headers.get("Content-Type", "")
        if status < 300 and kind.partition(";")[0].strip().lower() == "text/event-stream":
            return cls(response)
        try:
            body = response.raw.read(BODY_LIMIT, decode_content=True)
        except (HTTPError, OSError, ValueError):
            body = b""
        response.raw.close()
        if status < 300:
            raise BadPayload(f"not an event stream but {kind[:100]!r}", status=status, code="wrong_shape")
        raise failure(Answer(status, response.headers, body))

    def __iter__(self) -> Iterator[WordBatch | EndOfWords]:
        return self._items

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give up the subscription; the stream itself goes on."""
        self._response.raw.close()

    def _read(self) -> Iterator[WordBatch | EndOfWords]:
        try:
            for event, data in events(self._lines()):
                item = self._decoded(event, data)
                if item is not None:
                    yield item
                if isinstance(item, EndOfWords):
                    return
        finally:
            self.close()

    def _decoded(self, event: str, data: str) -> WordBatch | EndOfWords | None:
        if event not in {"message", "words", "end", "error"}:
            return None  # a kind of event that came later than this code
        try:
            value = parse(data.encode())
            return EndOfWords.from_json(value) if event in {"end", "error"} else WordBatch.from_json(value)
        except WrongShape as problem:
            if event in {"end", "error"}:
                return EndOfWords(reason=event, raw={})
            reason = str(problem)
        raise BadPayload(reason, status=self._response.status_code, code="wrong_shape")

    def _lines(self) -> Iterator[str]:
        """Lines without their ends (LF, CR or CRLF); stops quietly at our own limits of time."""
        pending = b""
        total = 0
        after_return = False
        while (piece := self._piece()) is not None:
            total += len(piece)
            # The other half of a CRLF whose CR ended the piece before.
            if after_return and piece.startswith(b"\n"):
                piece = piece[1:]
            after_return = piece.endswith(b"\r") or (after_return and not piece)
            *lines, pending = (pending + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
            for line in lines:
                yield line.decode("utf-8", "replace")
            if total > STREAM_LIMIT or len(pending) > LINE_LIMIT:
                status = self._response.status_code
                raise BadPayload("the word stream is too large", status=status, code="too_large")

    def _piece(self) -> bytes | None:
        """What arrived next; None when our own time is over. Raises NoAnswer."""
        piece = b""
        try:
            piece = self._response.raw.read1(65_536, decode_content=True)
            reason = "stopped without an end"
        except (HTTPError, OSError, ValueError) as problem:
            if isinstance(problem, (TimeoutError, ReadTimeoutError)):
                return None
            reason = f"broke off ({type(problem).__name__})"
        if not piece:
            status = self._response.status_code
            raise NoAnswer(f"the word stream {reason}", status=status, code="cut_off")
        return piece


def events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """(event, data) of a text/event-stream; the event is "message" when unnamed. Comments are skipped."""
    event = ""
    data: list[str] = []
    first = True
    for line in lines:
        if first:
            line = line.removeprefix("\ufeff")
            first = False
        if not line:
            if data:
                yield event or "message", "\n".join(data)
            event, data = "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event":
            event = value
