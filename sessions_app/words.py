"""What codes are called on a page: statuses, reasons to wait, refusals, events. Words only, no rows are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from sessions_app.models import StatusGroup, VideoSession

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from commands.models import Command
    from timeline.models import Event


@dataclass(frozen=True, slots=True)
class StatusWords:
    """A status as a page shows it: `group` decides the look, `word` names it, `sentence` says what it means."""

    group: str
    word: str
    sentence: str = ""


# Raw status, casefolded -> the word, and what it means for the person who looks.
_STATUSES: Mapping[str, tuple[_StrPromise, _StrPromise]] = {
    "thinking": (
        pgettext_lazy("status", "Thinking"),
        gettext_lazy("The agent is working on it. Nothing to do for you."),
    ),
    "processing": (
        pgettext_lazy("status", "Thinking"),
        gettext_lazy("The agent is working on it. Nothing to do for you."),
    ),
    "generating": (
        pgettext_lazy("status", "Rendering"),
        gettext_lazy("The video is being made. Nothing to do for you."),
    ),
    "waiting_for_input": (
        pgettext_lazy("status", "Has a question"),
        gettext_lazy("The agent asked something and goes on when you have answered."),
    ),
    "reviewing": (
        pgettext_lazy("status", "Storyboard to review"),
        gettext_lazy("Approve the storyboard, or say what should change."),
    ),
    "completed": (pgettext_lazy("status", "Done"), gettext_lazy("The agent has finished.")),
    "failed": (
        pgettext_lazy("status", "Failed"),
        gettext_lazy("The agent gave up. The conversation may say why."),
    ),
}


def status_of(session: VideoSession, *, stopped: bool = False) -> StatusWords:
    """How a session's status reads. One that HeyGen never told us yet is still on its way there. `stopped`: it failed
    after we had asked it to stop."""
    found = status_words()(session.status, session.group, session.gone_at is not None)
    if not stopped or session.gone_at is not None:
        return found
    return replace(found, sentence=_("It ended after somebody here asked it to stop. What exists stays."))


def status_words() -> Callable[[str, str, bool], StatusWords]:
    """The same for the rows of a list, by status, group and whether HeyGen forgot it: the language is asked for once."""
    return partial(_status_words, get_language() or "")


@lru_cache(maxsize=256)
def _status_words(_language: str, status: str, group: str, gone: bool) -> StatusWords:
    if gone:
        return StatusWords(
            "gone",
            _("Gone at HeyGen"),
            _("HeyGen no longer knows this session. What was seen of it stays here."),
        )
    if not status:
        if group == StatusGroup.FAILED:
            return StatusWords(
                "failed",
                _("Not started"),
                _("HeyGen did not take it. The reason stands in the conversation."),
            )
        return StatusWords("working", _("Starting"), _("It is being handed to HeyGen."))
    known = _STATUSES.get(status.casefold())
    if known is None:
        return StatusWords(
            str(group),
            status,
            _("HeyGen calls it this; we have not met the word before. It is shown as it came."),
        )
    word, sentence = known
    return StatusWords(str(group), str(word), str(sentence))


# HeyGen's types of resources. One that it adds later is shown as it came.
_RESOURCES: Mapping[str, _StrPromise] = {
    "image": gettext_lazy("Picture"),
    "video": gettext_lazy("Video"),
    "draft": gettext_lazy("Draft"),
    "avatar": gettext_lazy("Avatar"),
    "voice": gettext_lazy("Voice"),
    "blueprint": gettext_lazy("Blueprint"),
}


def resource_type(kind: str) -> str:
    """What a type of resource is called."""
    return str(_RESOURCES.get(kind, kind))


def page_title(session: VideoSession) -> str:
    """The document's title on the session's page: what it does comes first, a tab shows little more."""
    mark = "● " if session.group == StatusGroup.NEEDS_YOU and session.gone_at is None else ""
    return f"{mark}{status_of(session).word} · {session.display_title} · Dailies"


def length(seconds: float) -> str:
    """A length of time as people say it: 45 s, 4 min, 1.5 h."""
    if seconds < 60:
        return _("%(number)s s") % {"number": max(1, round(seconds))}
    if seconds < 5400:
        return _("%(number)s min") % {"number": round(seconds / 60)}
    return _("%(number)s h") % {"number": f"{seconds / 3600:.1f}"}


def refusal(command: Command) -> str:
    """HeyGen's words about a press that it refused, as they came; ours where we did not even send it."""
    if command.error.get("code") == "stale_revision":
        return _(
            "A newer storyboard came before this approval could be sent. Look at it: nothing was approved."
        )
    if command.error.get("code") == "person":
        return _("Somebody here found that out. It can be sent again.")
    if command.error.get("code") == "not_waiting":
        return _("The session went on before this approval could be sent. Nothing was approved.")
    if command.error.get("code") == "verdict":
        return _(
            "A storyboard came before this could be sent, and any message may approve one. Nothing was sent: an approver"
            " has to answer."
        )
    if command.error.get("code") == "unseen":
        return _(
            "A storyboard came before this could be sent, and any message may approve it. Nothing was sent: look at the"
            " storyboard first."
        )
    message = str(command.error.get("message") or "").strip()
    return message or _("HeyGen gave no reason.")


_COMMANDS: Mapping[str, _StrPromise] = {
    "session.create": gettext_lazy("the start of the session"),
    "session.send": gettext_lazy("a message"),
    "session.stop": gettext_lazy("the request to stop"),
}


def event_sentence(event: Event) -> str:
    """One line of the timeline. A code that we do not know is shown as it is."""
    data: Mapping[str, Any] = event.data if isinstance(event.data, dict) else {}
    what = event.what
    if what == "session.status":
        before, after = str(data.get("from") or ""), str(data.get("to") or "")
        words = {"before": _raw_word(before), "after": _raw_word(after)}
        return (_("From “%(before)s” to “%(after)s”") if before else _("Now “%(after)s”")) % words
    if what == "session.messages":
        count = int(data.get("count") or 0)
        return _("One new message") if count == 1 else _("%(count)s new messages") % {"count": count}
    if what == "session.approval":
        given, needed = int(data.get("given") or 0), int(data.get("needed") or 0)
        if needed < 2:
            return _("Storyboard approved")
        return _("Storyboard approved (%(given)d of %(needed)d)") % {"given": given, "needed": needed}
    if what == "session.approval_back":
        return _("Approval taken back (%(given)d of %(needed)d)") % {
            "given": int(data.get("given") or 0),
            "needed": int(data.get("needed") or 0),
        }
    if what in _EVENTS:
        return str(_EVENTS[what])
    if what.startswith("command."):
        name = _COMMANDS.get(str(data.get("kind")))
        verb = _COMMAND_EVENTS.get(what)
        if name is not None and verb is not None:
            return str(verb) % {"press": name}
    return what


def _raw_word(status: str) -> str:
    known = _STATUSES.get(status.casefold())
    return str(known[0]) if known else status


_EVENTS: Mapping[str, _StrPromise] = {
    "session.gap": gettext_lazy("Messages may have passed unseen"),
    "session.video": gettext_lazy("A video was announced"),
    "video.status": gettext_lazy("A video changed"),
    "session.note": gettext_lazy("A note was written"),
    "session.note_changed": gettext_lazy("A note was changed"),
    "session.note_deleted": gettext_lazy("A note was deleted"),
    "session.archived": gettext_lazy("Archived"),
    "session.tagged": gettext_lazy("Tags changed"),
    "session.restored": gettext_lazy("Brought back from the archive"),
    "session.adopted": gettext_lazy("Found at HeyGen, made elsewhere"),
    "session.gone": gettext_lazy("HeyGen no longer knows it"),
    "session.stuck": gettext_lazy("Nothing new for a long while: it may be stuck"),
    "session.replayed": gettext_lazy("Put together again from what HeyGen once showed"),
}
_COMMAND_EVENTS: Mapping[str, _StrPromise] = {
    "command.pressed": gettext_lazy("Pressed: %(press)s"),
    "command.accepted": gettext_lazy("HeyGen took %(press)s"),
    "command.refused": gettext_lazy("HeyGen refused %(press)s"),
    "command.unknown": gettext_lazy("Unclear whether HeyGen took %(press)s"),
    "command.asks_person": gettext_lazy("A person has to find out about %(press)s"),
}
