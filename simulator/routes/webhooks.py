"""Webhook endpoints and the history of events (contract 10)."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from simulator.errors import invalid
from simulator.gateway import Call, answer, as_json, operation
from simulator.idempotency import idempotent
from simulator.paging import cut, envelope
from simulator.schemas import address, fields, items, nullable, one_of, text
from simulator.webhooks import EVENT_TYPES

EVENTS = nullable(items(one_of(*EVENT_TYPES)))
URL = address("http", "https")
CREATE = fields({"url": URL, "events": EVENTS, "entity_id": nullable(text())}, ("url",))
UPDATE = fields({"url": nullable(URL), "events": EVENTS})


def endpoint_view(endpoint: dict[str, Any], *, secret: bool = False) -> dict[str, Any]:
    view = {name: endpoint[name] for name in ("endpoint_id", "url", "events", "status", "created_at")}
    if secret:
        view["secret"] = endpoint["secret"]
    return view


async def event_types(call: Call) -> Response:
    listed = [{"event_type": name, "description": text_} for name, text_ in EVENT_TYPES.items()]
    return as_json(envelope(listed, None))


async def list_endpoints(call: Call) -> Response:
    found = list(reversed(call.simulator.webhooks.of(call.account)))
    page, token = cut(found, call.query, lambda endpoint: str(endpoint["endpoint_id"]), default=10, most=100)
    return as_json(envelope([endpoint_view(endpoint) for endpoint in page], token))


async def create(call: Call) -> Response:
    body = await call.body()
    CREATE(body, "")
    webhooks = call.simulator.webhooks
    webhooks.check_url(call.account, body["url"])
    await webhooks.probe(body["url"])
    return answer(endpoint_view(webhooks.register(call.account, body), secret=True))


async def update(call: Call) -> Response:
    body = await call.body()
    webhooks = call.simulator.webhooks
    endpoint = webhooks.get(call.account, call.id("endpoint_id"))
    UPDATE(body, "")
    if not body:
        raise invalid("url or events is required.")
    if body.get("url") is not None:
        webhooks.check_url(call.account, body["url"], besides=endpoint["endpoint_id"])
    webhooks.change(endpoint, body)
    return answer(endpoint_view(endpoint))


async def delete(call: Call) -> Response:
    webhooks = call.simulator.webhooks
    webhooks.remove(webhooks.get(call.account, call.id("endpoint_id")))
    return as_json({"data": {}, "error": None})


async def rotate(call: Call) -> Response:
    webhooks = call.simulator.webhooks
    endpoint = webhooks.get(call.account, call.id("endpoint_id"))
    return answer({"endpoint_id": endpoint["endpoint_id"], "secret": webhooks.rotate(endpoint)})


async def events(call: Call) -> Response:
    webhooks, query = call.simulator.webhooks, call.query
    webhooks.collect()
    found = [
        event
        for event in reversed(webhooks.events.values())
        if event["account"] == call.account.id
        and (not query.get("event_type") or event["event_type"] == query["event_type"])
        and (not query.get("entity_id") or query["entity_id"] in event["event_data"].values())
    ]
    page, token = cut(found, query, lambda event: str(event["event_id"]), default=10, most=100)
    shown = [
        {name: event[name] for name in ("event_id", "event_type", "event_data", "created_at")}
        for event in page
    ]
    return as_json(envelope(shown, token))


ROUTES = [
    operation("GET", "/v3/webhooks/event-types", event_types),
    operation("GET", "/v3/webhooks/endpoints", list_endpoints),
    operation("POST", "/v3/webhooks/endpoints", idempotent(create)),
    operation("PATCH", "/v3/webhooks/endpoints/{endpoint_id}", update),
    operation("DELETE", "/v3/webhooks/endpoints/{endpoint_id}", delete),
    operation("POST", "/v3/webhooks/endpoints/{endpoint_id}/rotate-secret", idempotent(rotate)),
    operation("GET", "/v3/webhooks/events", events),
]
