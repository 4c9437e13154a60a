"""Live avatar streams: pure state from what was sent and the clock, and the book of all streams."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .accounts import Account
from .errors import ApiError, conflict, not_found, too_many
from .identifiers import dashed, digest, number
from .scenarios import Scenario, as_document, from_document, without_words
from .speech import Speech, Word
from .world import without_bytes

if TYPE_CHECKING:
    from .world import World

LONGEST = 3600.0
LAST_BREATH = 0.8


class Stream:
    """One stream. Times are story seconds; everything is decided by the inputs and the time asked for."""

    def __init__(
        self, identifier: str, document: Mapping[str, Any], account: Account, scenario: Scenario
    ) -> None:
        body = document["body"]
        self.id = identifier
        self.account = account
        self.kind: str = body["type"]
        self.look_id: str = body["avatar_id"]
        self.body = body
        self.scenario = scenario
        self.created = float(document["created"])
        self.idle_seconds = float(document["idle_seconds"])
        self.starts = self.created + scenario.pending * (0.8 + number(identifier, "pending", below=40) / 100)
        self.speech = Speech(document["rate"])
        self.last_text = self.starts
        self.bytes = 0
        self.final_at = math.inf
        self.cancelled_at = math.inf
        self.inputs = 0
        self.settled = False
        if self.kind == "audio":
            data = int(body["audio"].get("size", 192_000))
            self.audio_seconds = min(120.0, max(4.0, data / 16_000))
        else:
            self.audio_seconds = 0.0
            self._hear(body["text"], self.created)

    def append(self, at: float, delta: str, final: bool) -> None:
        self._hear(delta, at)
        if delta:
            self.last_text = max(self.starts, at)
        if final:
            self.final_at = at
        self.inputs += 1

    def cancel(self, at: float) -> None:
        self.cancelled_at = min(self.cancelled_at, at)
        self.inputs += 1

    @property
    def ends(self) -> float:
        """When it will end if nothing more is sent."""
        if self.scenario.stream_error:
            return self.starts
        if self.kind == "audio":
            natural = self.starts + self.audio_seconds
        elif self.kind == "tts":
            natural = self.starts + self.speech.ends + LAST_BREATH
        elif self.final_at < math.inf:
            natural = max(self.starts + self.speech.ends, self.final_at, self.starts) + LAST_BREATH
        else:
            natural = self.last_text + self.idle_seconds
        return min(natural, self.starts + LONGEST, self.cancelled_at)

    def status(self, now: float) -> str:
        if now >= self.ends:
            return "error" if self.scenario.stream_error and now < self.cancelled_at else "completed"
        return "streaming" if now >= self.starts else "pending"

    def end_reason(self, now: float) -> str | None:
        """Only for a text stream that ended by itself."""
        if self.kind != "text_stream" or self.status(now) != "completed" or self.cancelled_at <= self.ends:
            return None
        return "final_marker" if self.final_at < math.inf else "idle_timeout"

    def words_reason(self, now: float) -> str:
        """The reason of the last event of the word stream."""
        if self.status(now) == "error":
            return "error"
        return self.end_reason(now) or "completed"

    def spoken(self, now: float) -> list[Word]:
        """Words spoken to their end, never past the end of the stream."""
        return self.speech.until(min(now, self.ends) - self.starts)

    def _hear(self, text: str, at: float) -> None:
        self.bytes += len(text.encode("utf-8", "surrogatepass"))
        heard = without_words(text) if "[" in text and text != without_words(text) else text
        self.speech.add(heard, max(0.0, at - self.starts))


class Streams:
    """All streams of all accounts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all: dict[str, Stream] = {}
        inputs: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for _, document in world.store.all("stream input"):
            inputs[document["stream"]].append(document)
        for identifier, document in world.store.all("stream"):
            account = world.accounts_by_id.get(document["account"])
            if account is None:
                continue
            stream = self._enter(identifier, document, account, from_document(document["scenario"]))
            for said in inputs.get(identifier, ()):
                self._play(stream, said)
            self._settle(stream)

    def create(self, account: Account, body: Mapping[str, Any]) -> Stream:
        world = self.world
        if not world.settings.realtime_enabled:
            raise ApiError(403, "forbidden", "This account has no access to Avatar Realtime.")
        world.require_credit(account)
        if account.streaming >= account.settings.max_streams:
            raise too_many("Too many streams at once.", world.settings.retry_after)
        identifier = dashed(digest(world.seed, "stream", world.next_number("stream")))
        scenario = world.scenarios.choose(str(body.get("text", "")))
        document: dict[str, Any] = {
            "account": account.id,
            "created": world.now(),
            "body": slim(body),
            "idle_seconds": world.settings.idle_seconds,
            "rate": world.settings.speech_rate,
            "scenario": as_document(scenario),
        }
        entry = world.ledger_entry(account, "create_stream", identifier, document["body"])
        world.store.put_many([("stream", identifier, document), ("ledger", str(entry["number"]), entry)])
        stream = self._enter(identifier, document, account, scenario)
        world.schedule(stream.ends, lambda now: self._settle(stream))
        return stream

    def get(self, account: Account, identifier: str) -> Stream:
        stream = self.all.get(identifier)
        if stream is None or stream.account is not account:
            raise not_found("Stream")
        return stream

    def append(self, stream: Stream, delta: str, final: bool) -> int:
        """Accept spoken text; returns the bytes buffered so far."""
        world = self.world
        now = world.now()
        if stream.kind != "text_stream":
            raise conflict("Only text streams take text.")
        if stream.final_at < math.inf or stream.status(now) in ("completed", "error"):
            raise ApiError(410, "gone", "The stream takes no more text.")
        document = {"stream": stream.id, "at": now, "kind": "text", "delta": delta, "final": final}
        entry = world.ledger_entry(stream.account, "append_text", stream.id, {"delta": delta, "final": final})
        key = f"{stream.id}/{stream.inputs:06d}"
        world.store.put_many([("stream input", key, document), ("ledger", str(entry["number"]), entry)])
        self._play(stream, document)
        world.schedule(stream.ends, lambda now: self._settle(stream))
        return stream.bytes

    def cancel(self, stream: Stream) -> bool:
        """True when this call ended it."""
        now = self.world.now()
        if stream.status(now) in ("completed", "error"):
            return False
        document = {"stream": stream.id, "at": now, "kind": "cancel"}
        self.world.store.put("stream input", f"{stream.id}/{stream.inputs:06d}", document)
        self._play(stream, document)
        self._settle(stream)
        return True

    def _enter(
        self, identifier: str, document: Mapping[str, Any], account: Account, scenario: Scenario
    ) -> Stream:
        stream = Stream(identifier, document, account, scenario)
        self.all[identifier] = stream
        account.streaming += 1
        return stream

    def _play(self, stream: Stream, document: Mapping[str, Any]) -> None:
        if document["kind"] == "text":
            stream.append(document["at"], document["delta"], document["final"])
        else:
            stream.cancel(document["at"])

    def _settle(self, stream: Stream) -> None:
        """Release the place of a stream that has ended, and charge for it once."""
        now = self.world.now()
        if stream.settled:
            return
        if now < stream.ends:
            self.world.schedule(stream.ends, lambda now: self._settle(stream))
            return
        stream.settled = True
        stream.account.streaming -= 1
        seconds = max(0.0, stream.ends - stream.starts)
        self.world.charge(
            stream.account, "stream", stream.id, seconds, stream.account.settings.realtime_price
        )


def slim(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is kept: of base64 audio only the size stays."""
    if "audio" not in body:
        return dict(body)
    audio = dict(body["audio"])
    if "data" in audio:
        size = len(audio["data"]) * 3 // 4
        audio = {**without_bytes({"files": [audio]})["files"][0], "size": size}
    return {**body, "audio": audio}
