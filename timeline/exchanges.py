"""What was said on the wire about an object, kept small and without secrets, for staff who look for a cause."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from polling.rows import append, keep_newest
from timeline.models import Exchange
from timeline.redaction import redact

# Of one object: the newest this many, and of those no more than this many compressed bytes.
KEPT_EACH = 40
KEPT_BYTES = 256 * 1024
# A longer side of an exchange (as JSON text) is cut off, so that one answer cannot push out all the others.
SIDE_CHARACTERS = 128 * 1024


@dataclass(frozen=True, slots=True)
class NewExchange:
    """A request and its answer to keep. `operation` is the method and the path template ("GET /v3/video-agents/{id}").

    `request` and `answer` are JSON values or text as they came; `status` is None when no answer came.
    """

    workspace_id: UUID
    object_kind: str
    object_id: UUID
    operation: str
    request: Any
    answer: Any
    status: int | None = None
    milliseconds: int | None = None


def keep(exchanges: Sequence[NewExchange], *, tidy: Collection[UUID] | None = None) -> None:
    """Write them together, redacted and compressed, and let go of the oldest of their objects.

    `tidy` names the objects to let go of; a frequent writer spreads that work, None means all of them.
    """
    if not exchanges:
        return
    rows = []
    for exchange in exchanges:
        body = _pack(exchange.request, exchange.answer)
        rows.append(
            {
                "workspace_id": exchange.workspace_id,
                "object_kind": exchange.object_kind,
                "object_id": exchange.object_id,
                "operation": exchange.operation[:200],
                "status": exchange.status,
                "milliseconds": exchange.milliseconds,
                "body": body,
                "size": len(body),
            }
        )
    # No savepoint in a poll's transaction: nobody there goes on without these rows.
    with transaction.atomic(savepoint=False):
        append(Exchange, rows)
        untidy = [each for each in exchanges if tidy is None or each.object_id in tidy]
        keep_newest(
            Exchange,
            # Both, as the index has them.
            {
                "object_kind": {each.object_kind for each in untidy},
                "object_id": {each.object_id for each in untidy},
            },
            most=KEPT_EACH,
            most_bytes=KEPT_BYTES,
            size="size",
        )


def read(exchange: Exchange) -> Mapping[str, Any]:
    """`{"request": …, "answer": …}` as kept; a side that was too long is text that ends in "…"."""
    content: Mapping[str, Any] = json.loads(zlib.decompress(bytes(exchange.body)))
    return content


def _pack(request: Any, answer: Any) -> bytes:
    content = f'{{"request":{_side(request)},"answer":{_side(answer)}}}'
    return zlib.compress(content.encode(), 6)


def _side(value: Any) -> str:
    """One side as JSON, redacted; what is too long is cut off and kept as text."""
    value = redact(value)
    text = value if isinstance(value, str) else _json(value)
    if len(text) > SIDE_CHARACTERS:
        return _json(text[:SIDE_CHARACTERS] + "…")
    return _json(value) if isinstance(value, str) else text


# `json.dumps` would make one for each value.
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
