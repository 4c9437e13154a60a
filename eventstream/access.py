"""Who may listen. Sync functions for a thread: each closes the database connections that it used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import close_old_connections, connections
from django.http import HttpRequest
from django.utils import translation

from eventstream.topics import Topic


@dataclass(frozen=True, slots=True)
class Ticket:
    """Whom a stream was opened for, and on what."""

    session_key: str
    user_id: int
    topic: Topic
    object_id: UUID


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an `alive` event says about one object. Seconds; None = not known."""

    version: int
    age: float | None


@dataclass(frozen=True, slots=True)
class Admission:
    """A granted stream: the ticket to ask again with, the language of its fragments, the object's present."""

    ticket: Ticket
    language: str
    pulse: Pulse


@contextmanager
def own_connections() -> Iterator[None]:
    """For threads outside of Django's requests: nobody else would close what they opened."""
    close_old_connections()
    try:
        yield
    finally:
        connections.close_all()


def admit(session_key: str, accepted_languages: str, topic: Topic, object_id: UUID) -> Admission | None:
    """The admission of whoever has this session; None for anybody who may not see the object."""
    with own_connections():
        request = _request(session_key)
        user = auth.get_user(request)
        if not user.is_authenticated or not user.is_active or getattr(user, "must_change_password", False):
            return None
        ticket = Ticket(session_key, user.pk, topic, object_id)
        if not topic.allowed(ticket.user_id, object_id):
            return None
        language = getattr(user, "language", "")
        if language not in dict(settings.LANGUAGES):
            request.META["HTTP_ACCEPT_LANGUAGE"] = accepted_languages
            language = translation.get_language_from_request(request)
        return Admission(ticket, language, _pulse(topic, object_id))


def refused(tickets: Sequence[Ticket]) -> set[Ticket]:
    """Those among the tickets that would not be admitted now. Each session and each right is looked at once."""
    with own_connections():
        # auth.get_user also compares the password's hash: a changed password ends a session everywhere.
        users: dict[str, int | None] = {}
        for session_key in {ticket.session_key for ticket in tickets}:
            user = auth.get_user(_request(session_key))
            users[session_key] = user.pk if user.is_authenticated and user.is_active else None
        rights = {(ticket.user_id, ticket.topic, ticket.object_id) for ticket in tickets}
        allowed = {right for right in rights if right[1].allowed(right[0], right[2])}
        return {
            ticket
            for ticket in tickets
            if users[ticket.session_key] != ticket.user_id
            or (ticket.user_id, ticket.topic, ticket.object_id) not in allowed
        }


def pulses(objects: Iterable[tuple[Topic, UUID]]) -> dict[tuple[str, UUID], Pulse]:
    """Version and age of each object, by kind and id."""
    with own_connections():
        return {(topic.kind, object_id): _pulse(topic, object_id) for topic, object_id in objects}


def versions(objects: Iterable[tuple[Topic, UUID]]) -> dict[tuple[str, UUID], int]:
    """The version of each object, by kind and id."""
    with own_connections():
        return {(topic.kind, object_id): topic.version(object_id) for topic, object_id in objects}


def _pulse(topic: Topic, object_id: UUID) -> Pulse:
    return Pulse(topic.version(object_id), topic.age(object_id))


def render(topic: Topic, object_id: UUID, since: int | None, language: str, variant: str) -> str:
    with own_connections(), translation.override(language):
        return topic.fragments(object_id, since, language, variant)


def _request(session_key: str) -> HttpRequest:
    """What Django's auth needs of a request: the session."""
    request = HttpRequest()
    store: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(session_key)
    return request
