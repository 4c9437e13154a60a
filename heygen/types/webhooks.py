"""Webhook endpoints and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen.json_types import Raw


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of notice that an endpoint can ask for. Source: GET /v3/webhooks/event-types."""

    event_type: str
    description: str
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("EventType", value)
        return cls(
            event_type=read.required_text("EventType", raw, "event_type"),
            description=read.text("EventType", raw, "description"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """An address that HeyGen notifies. `events` None means all; `secret` only on create, hidden from repr.

    Source: GET and POST /v3/webhooks/endpoints.
    """

    endpoint_id: str
    url: str
    events: tuple[str, ...] | None
    status: str
    created_at: datetime | None
    secret: str | None = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("WebhookEndpoint", value)
        read.note_unknown("WebhookEndpoint", raw, _WEBHOOK_ENDPOINT)
        return cls(
            endpoint_id=read.identity("WebhookEndpoint", raw, "endpoint_id", "id"),
            url=read.text("WebhookEndpoint", raw, "url"),
            events=None if raw.get("events") is None else read.texts("WebhookEndpoint", raw, "events"),
            status=read.text("WebhookEndpoint", raw, "status"),
            created_at=read.moment("WebhookEndpoint", raw, "created_at"),
            secret=read.optional_text("WebhookEndpoint", raw, "secret") or None,
            raw=raw,
        )


_WEBHOOK_ENDPOINT = frozenset({"endpoint_id", "url", "events", "status", "created_at", "secret"})


@dataclass(frozen=True, slots=True)
class RotatedSecret:
    """The new signing secret of an endpoint; the old one is dead at once.

    Source: POST /v3/webhooks/endpoints/{endpoint_id}/rotate-secret.
    """

    endpoint_id: str
    secret: str = field(repr=False)
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("RotatedSecret", value)
        return cls(
            endpoint_id=read.text("RotatedSecret", raw, "endpoint_id"),
            secret=read.required_text("RotatedSecret", raw, "secret"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """A notice that HeyGen delivered or tried to. Source: GET /v3/webhooks/events."""

    event_id: str
    event_type: str
    event_data: Mapping[str, Any] = field(repr=False)
    created_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("WebhookEvent", value)
        return cls(
            event_id=read.identity("WebhookEvent", raw, "event_id", "id"),
            event_type=read.text("WebhookEvent", raw, "event_type")
            or read.text("WebhookEvent", raw, "event")
            or read.text("WebhookEvent", raw, "type"),
            event_data=read.mapping("WebhookEvent", raw, "event_data") or {},
            created_at=read.moment("WebhookEvent", raw, "created_at"),
            raw=raw,
        )
