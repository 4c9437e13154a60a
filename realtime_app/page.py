"""What the live page and the fragments that are pushed to it show: made in one place, so that they cannot drift apart.

Nothing in here is of one person: fragments are rendered once and shared by all who look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from commands.models import Command, State
from commands.words import why_unclear, why_waiting
from polling import schedule
from realtime_app import playlists
from realtime_app.models import Stream, StreamGroup, StreamKind, TextDelta, Word
from realtime_app.sending import CANCEL_KIND, CREATE_KIND, STREAM_ENDED
from realtime_app.spacing import running_text, spaced
from workspaces_app.readings import late_because

# HeyGen ends a live text for which no text came so long.
IDLE_SECONDS = 30
# Words that a page shows one by one; those before them are plain text, which costs a long stream nothing.
WORDS_SHOWN = 600
# May press buttons (shown, not checked: every press is checked by its view).
ACTS = "act"


@dataclass(frozen=True, slots=True)
class Status:
    """How the stream is, for the eye: `group` picks icon and colour, `word` and `detail` say it."""

    group: str
    word: str
    detail: str = ""


def status_of(stream: Stream, create: Command | None = None) -> Status:
    """The stream's status in words; `create` is the press that is to start it, while HeyGen has not accepted it."""
    if stream.gone_at is not None:
        return Status(
            "gone", _("Gone"), _("HeyGen does not know this stream any more. What was seen stays here.")
        )
    if stream.stream_id is None and create is not None:
        return _status_of_start(create)
    match stream.group:
        case StreamGroup.PENDING:
            return Status(
                "working", _("Starting"), _("HeyGen prepares the avatar. This takes about 15 seconds.")
            )
        case StreamGroup.STREAMING:
            return Status("live", _("Live"))
        case StreamGroup.COMPLETED:
            return Status("done", _("Ended"), why_ended(stream.end_reason))
        case StreamGroup.ERROR:
            return Status("failed", _("Failed"), stream.error_message or _("HeyGen gave no reason."))
        case _:
            return Status("unknown", stream.status, _("HeyGen uses a word that we don't know yet."))


def _status_of_start(create: Command) -> Status:
    match create.state:
        case State.QUEUED:
            return Status("queued", _("Waiting to start"), why_waiting(create.waiting_for))
        case State.UNKNOWN:
            reason = why_unclear(create.error.get("reason") or create.error.get("code", ""))
            return Status("unknown", _("Outcome unknown"), reason)
        case State.REFUSED:
            return Status("failed", _("Not started"), create.error.get("message") or _("HeyGen refused it."))
        case _:
            return Status("sending", _("Starting"), _("HeyGen was asked to start it."))


def why_ended(reason: str) -> str:
    """HeyGen's `end_reason` in words; one never seen before as it came."""
    known = {
        "": "",
        "final_marker": _("The last text was spoken."),
        "idle_timeout": _("No new text came for 30 seconds, so HeyGen ended it."),
        "completed": _("Everything was spoken."),
        "error": _("It failed while it played."),
        "cancelled": _("It was stopped."),
    }
    return known.get(reason, reason)


@dataclass(frozen=True, slots=True)
class PushedText:
    """A pushed text as the page draws it: `group` picks the icon, `word` says how far it got, `note` what that means."""

    delta: TextDelta
    group: str
    word: str
    note: str
    may_repeat: bool
    asks_person: bool


def pushed_text(delta: TextDelta, stream: Stream) -> PushedText:
    command = delta.command
    repeated = getattr(command, "repeated_by", None) is not None
    note, word = "", ""
    match command.state:
        case State.QUEUED:
            group, word, note = "queued", _("Waiting"), why_waiting(command.waiting_for)
        case State.SENDING:
            group, word = "sending", _("Being sent")
        case State.ACCEPTED:
            group, word = "accepted", _("Accepted")
        case State.REFUSED:
            group, word = "refused", _("Not taken")
            ended = command.error.get("code") == STREAM_ENDED
            note = _("The stream has ended.") if ended else command.error.get("message", "")
        case _:
            group, word = "unknown", _("Outcome unknown")
            note = why_unclear(command.error.get("reason") or command.error.get("code", ""))
            if not command.asks_person:
                note = _("No clear answer. The next text will tell whether it was taken.")
    if repeated:
        note = _("It was sent again.")
    open_to_person = command.state == State.REFUSED or command.asks_person
    return PushedText(
        delta=delta,
        group=group,
        word=word,
        note=note,
        may_repeat=open_to_person and not repeated and stream.takes_text,
        asks_person=command.asks_person and not repeated,
    )


def context(stream: Stream, *, since: int | None = None, variant: str = "") -> dict[str, Any]:
    """What the templates of the live page need. With `since` only the words and texts that are newer than that version."""
    create = Command.objects.for_object(CREATE_KIND, stream.pk).last() if stream.stream_id is None else None
    if create is not None and getattr(create, "repeated_by", None) is not None:
        create = None
    deltas = stream.deltas.select_related("command__by", "command__repeated_by").order_by("sequence")
    words = Word.objects.filter(stream=stream).order_by("index")
    first_shown = max(0, words.count() - WORDS_SHOWN)
    if since is not None:
        deltas, words = deltas.filter(version__gt=since), words.filter(version__gt=since)
    freshness = schedule.freshness("stream", [stream.pk]).get(stream.pk)
    playable = bool(stream.hls_url) and playlists.listed(stream.hls_url)
    return {
        "stream": stream,
        "acts": variant == ACTS,
        "status": status_of(stream, create),
        "create": create,
        "cancel": Command.objects.for_object(CANCEL_KIND, stream.pk).last(),
        "freshness": freshness,
        "late_because": late_because(freshness.reason) if freshness is not None and freshness.late else "",
        "playable": playable,
        "unlisted_origin": "" if playable or not stream.hls_url else playlists.origin_of(stream.hls_url),
        "words": [(word, spaced(word.word)) for word in words.filter(index__gte=first_shown)],
        "pushed": [pushed_text(delta, stream) for delta in deltas],
        "idle_at": idle_at(stream),
        "idle_seconds": IDLE_SECONDS,
        "seconds_live": stream.seconds_live,
        "price": settings.REALTIME_PRICE_PER_SECOND,
        "cost": stream.seconds_live * settings.REALTIME_PRICE_PER_SECOND,
        "runs": stream.group == StreamGroup.STREAMING and not stream.ended,
    }


def idle_at(stream: Stream) -> Any:
    """When HeyGen's idle rule would end the stream; None where it does not apply."""
    if stream.kind != StreamKind.TEXT_STREAM or stream.group != StreamGroup.STREAMING or stream.ended:
        return None
    if (
        stream.last_text_at is None
        or stream.deltas.filter(final=True, command__state=State.ACCEPTED).exists()
    ):
        return None
    # The opening words count as text, but nothing idles before it plays.
    return max(stream.last_text_at, stream.started_at or stream.last_text_at) + timedelta(
        seconds=IDLE_SECONDS
    )


def earlier_words(stream_id: UUID) -> str:
    """The words before those that are shown one by one, as running text."""
    words = Word.objects.filter(stream=stream_id).order_by("index").values_list("word", flat=True)
    return running_text(words[: max(0, words.count() - WORDS_SHOWN)])
