"""The seam between the two dialects of the Video Agent API.

The current one lives under /v3/video-agents/… and speaks of `mode`; the old one under
/v3/video-agents/sessions/… and speaks of `auto_proceed`. Each is one object with its paths, its bodies and
what it can do; the client asks it and has no branch of its own. Requests are strict: a field of the other
dialect is never sent, and one that was chosen but cannot be sent raises Unsupported before anything is.
Source: heygen-api.md, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from heygen.errors import Unsupported
from heygen.inputs import CreateSession, SendMessage
from heygen.json_types import JsonObject


class Dialect(StrEnum):
    CURRENT = "current"
    SESSIONS = "sessions"

    @property
    def abilities(self) -> Abilities:
        """What this dialect can do; a flag that is False means that the call raises Unsupported."""
        return PATHS[self].abilities


@dataclass(frozen=True, slots=True)
class Abilities:
    list_sessions: bool
    list_session_videos: bool
    list_resources: bool
    brand_kits: bool  # a kit or glossary may be chosen for a session
    auto_proceed: bool  # a message may say "skip what review remains"


@dataclass(frozen=True, slots=True)
class Paths:
    """Path templates of a dialect; "" where it has none. `new_status` is what a create that names none has."""

    abilities: Abilities
    create: str
    session: str
    send: str
    stop: str
    resource: str
    resources: str
    new_status: str


PATHS = {
    Dialect.CURRENT: Paths(
        abilities=Abilities(
            list_sessions=True,
            list_session_videos=True,
            list_resources=False,
            brand_kits=True,
            auto_proceed=False,
        ),
        create="/v3/video-agents",
        session="/v3/video-agents/{session_id}",
        send="/v3/video-agents/{session_id}",
        stop="/v3/video-agents/{session_id}/stop",
        resource="/v3/video-agents/{session_id}/resources/{resource_id}",
        resources="",
        new_status="thinking",
    ),
    Dialect.SESSIONS: Paths(
        abilities=Abilities(
            list_sessions=False,
            list_session_videos=False,
            list_resources=True,
            brand_kits=False,
            auto_proceed=True,
        ),
        create="/v3/video-agents/sessions",
        session="/v3/video-agents/sessions/{session_id}",
        send="/v3/video-agents/sessions/{session_id}/messages",
        stop="/v3/video-agents/sessions/{session_id}/stop",
        resource="",
        resources="/v3/video-agents/sessions/{session_id}/resources",
        new_status="processing",
    ),
}


def create_body(dialect: Dialect, wanted: CreateSession) -> JsonObject:
    """The body of a create; raises Unsupported for a chosen field that the dialect lacks."""
    body: JsonObject = {"prompt": wanted.prompt}
    if dialect is Dialect.CURRENT:
        body["mode"] = wanted.mode
        _add(body, brand_kit_id=wanted.brand_kit_id, brand_glossary_id=wanted.brand_glossary_id)
    else:
        _refuse(dialect, brand_kit_id=wanted.brand_kit_id, brand_glossary_id=wanted.brand_glossary_id)
        body["auto_proceed"] = wanted.mode == "generate"
    _add(
        body,
        avatar_id=wanted.avatar_id,
        voice_id=wanted.voice_id,
        style_id=wanted.style_id,
        orientation=wanted.orientation,
        callback_url=wanted.callback_url,
    )
    if wanted.callback_url:
        # Alone it is refused.
        _add(body, callback_id=wanted.callback_id)
    if wanted.files:
        body["files"] = [file.body() for file in wanted.files]
    if wanted.incognito_mode:
        body["incognito_mode"] = True
    return body


def send_body(dialect: Dialect, message: SendMessage) -> JsonObject:
    """The body of a message; raises Unsupported for a chosen field that the dialect lacks."""
    body: JsonObject = {"message": message.message}
    _add(body, avatar_id=message.avatar_id, voice_id=message.voice_id)
    if dialect is Dialect.CURRENT:
        _add(body, brand_kit_id=message.brand_kit_id)
    else:
        _refuse(dialect, brand_kit_id=message.brand_kit_id)
        body["auto_proceed"] = message.auto_proceed
    if message.files:
        body["files"] = [file.body() for file in message.files]
    return body


def _add(body: JsonObject, **chosen: str | None) -> None:
    # A form's empty field is "not chosen" as well; the server would look for an id "".
    body.update({name: value for name, value in chosen.items() if value})


def _refuse(dialect: Dialect, **chosen: str | None) -> None:
    for name, value in chosen.items():
        if value:
            raise Unsupported(f"the dialect {dialect.value!r} has no {name}", code="unsupported", param=name)
