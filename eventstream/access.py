"""Who may listen. Sync functions for a thread: each closes the database connections that it used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.backends.base import SessionBase
from django.db import close_old_connections, connections
from django.http import HttpRequest
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare

from eventstream.topics import Pair, Topic


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
        if not topic.allowed([(ticket.user_id, object_id)]):
            return None
        language = getattr(user, "language", "")
        if language not in dict(settings.LANGUAGES):
            request.META["HTTP_ACCEPT_LANGUAGE"] = accepted_languages
            language = translation.get_language_from_request(request)
        return Admission(ticket, language, _pulse(topic, object_id))


def refused(tickets: Sequence[Ticket]) -> set[Ticket]:
    """Those among the tickets that would not be admitted now. Each session and each right is looked at once."""
    with own_connections():
        users = _users({ticket.session_key for ticket in tickets})
        asked: dict[Topic, set[Pair]] = defaultdict(set)
        for ticket in tickets:
            asked[ticket.topic].add((ticket.user_id, ticket.object_id))
        allowed = {topic: topic.allowed(pairs) for topic, pairs in asked.items()}
        return {
            ticket
            for ticket in tickets
            if users.get(ticket.session_key) != ticket.user_id
            or (ticket.user_id, ticket.object_id) not in allowed[ticket.topic]
        }


def _users(session_keys: set[str]) -> dict[str, int]:
    """Whose these sessions are; those that ended, or whose user was switched off or changed the password, are not there.

    Says what `auth.get_user` says of each, in two queries for all. What is not plainly in order is asked of that.
    """
    store = _store_class()
    rows = store.get_model_class().objects.filter(  # type: ignore[attr-defined]
        session_key__in=session_keys, expire_date__gt=timezone.now()
    )
    contents = {row.session_key: row.get_decoded() for row in rows}
    ids = {content.get(auth.SESSION_KEY) for content in contents.values()} - {None}
    users = {str(user.pk): user for user in auth.get_user_model()._default_manager.filter(pk__in=ids)}
    found: dict[str, int] = {}
    for session_key, content in contents.items():
        user: Any = users.get(str(content.get(auth.SESSION_KEY)))
        if user is None or not user.is_active:
            continue
        in_order = content.get(auth.BACKEND_SESSION_KEY) in settings.AUTHENTICATION_BACKENDS and (
            constant_time_compare(content.get(auth.HASH_SESSION_KEY, ""), user.get_session_auth_hash())
        )
        if in_order or auth.get_user(_request(session_key)).is_authenticated:
            found[session_key] = user.pk
    return found


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
    request.session = _store_class()(session_key)
    return request


def _store_class() -> type[SessionBase]:
    found: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
    return found
