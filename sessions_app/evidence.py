"""What a person has to know to decide whether HeyGen took a press: what was sent when, and what was seen since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from commands.models import Command
from heygen import matching
from sessions_app import words
from sessions_app.mirror.adoption import SKEW_SECONDS
from sessions_app.models import Message, VideoSession
from sessions_app.sending import ADOPTED, CREATE_KIND
from timeline.events import events_of

# What is said in a payload already, or means nothing to a person.
_SHOWN_APART = frozenset({"prompt", "message", "files", "dialect", "callback_url"})
MOST = 20


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that happened to the session after the attempt, in words."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A session made elsewhere, as far as we know, that may be what this press made."""

    session: VideoSession
    same_words: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """`messages` are those that came after the attempt; `same` the one of them with the words of the press."""

    command: Command
    text: str
    settings: list[tuple[str, str]]
    files: int
    reason: str
    messages: list[Message]
    same: Message | None
    events: list[Seen]
    candidates: list[Candidate]


def evidence(command: Command, session: VideoSession) -> Evidence:
    """A handful of queries, whatever was seen."""
    payload: Mapping[str, Any] = command.payload
    text = str(payload.get("prompt") or payload.get("message") or "")
    since = (command.attempt_at or command.created_at) - timedelta(seconds=SKEW_SECONDS)
    messages = list(
        session.messages.filter(
            Q(remote_created_at__gte=since) | Q(remote_created_at=None, first_seen_at__gte=since)
        )
        .select_related("command")
        .order_by("-position")[:MOST]
    )[::-1]
    events = events_of("session", session.pk).filter(at__gte=since).exclude(what__startswith="command.")
    return Evidence(
        command=command,
        text=text,
        settings=[
            (name, str(value)) for name, value in payload.items() if name not in _SHOWN_APART and value
        ],
        files=len(payload.get("files") or ()),
        reason=str(command.error.get("message") or "") or _("No answer came."),
        messages=messages,
        same=next(
            (
                message
                for message in messages
                if message.command_id is None
                and message.role == "user"
                and matching.same_text(message.content, text)
            ),
            None,
        ),
        events=[Seen(event.at, words.event_sentence(event)) for event in events[:MOST]],
        candidates=_candidates(command, text, since) if command.kind == CREATE_KIND else [],
    )


def _candidates(command: Command, text: str, since: datetime) -> list[Candidate]:
    """Sessions that were found at HeyGen, are no older than the attempt, and that no press of ours made."""
    mine = Message.objects.filter(session=OuterRef("pk"), command__isnull=False)
    found = (
        VideoSession.objects.filter(ADOPTED, ~Exists(mine), workspace_id=command.workspace_id)
        .filter(Q(remote_created_at__gte=since) | Q(remote_created_at=None, created_at__gte=since))
        .exclude(pk=command.object_id)
        .order_by("remote_created_at", "pk")[:MOST]
    )
    candidates = [Candidate(each, bool(text) and matching.same_text(each.prompt, text)) for each in found]
    return sorted(candidates, key=lambda candidate: not candidate.same_words)
