"""`Idempotency-Key` where the contract declares it: remembered 24 h per endpoint and resource."""

from __future__ import annotations

import base64
import re
from functools import wraps

from starlette.responses import Response

from .errors import ApiError, invalid
from .gateway import Call, Handler

PATTERN = re.compile(r"[A-Za-z0-9_\-:.]{1,255}")
REMEMBERED_SECONDS = 86_400
running: set[str] = set()


def idempotent(handler: Handler) -> Handler:
    """A repeat gets the first answer, even when its body differs; 409 while the first is still running."""

    @wraps(handler)
    async def once(call: Call) -> Response:
        key = call.request.headers.get("idempotency-key")
        if key is None:
            return await handler(call)
        if not PATTERN.fullmatch(key):
            raise invalid("Idempotency-Key must be 1 to 255 letters, digits, or _ - : .", "Idempotency-Key")
        store, clock = call.world.store, call.world.clock
        name = f"{call.account.id} {call.request.method} {call.request.url.path} {key}"
        saved = store.get("idempotent", name)
        if saved is not None and clock.stamp() - saved["at"] < REMEMBERED_SECONDS:
            return Response(base64.b64decode(saved["body"]), saved["status"], media_type="application/json")
        if name in running:
            raise ApiError(409, "request_in_progress", "The first request with this key is still running.")
        running.add(name)
        try:
            response = await handler(call)
        finally:
            running.discard(name)
        body = base64.b64encode(bytes(response.body)).decode()
        store.put("idempotent", name, {"at": clock.stamp(), "status": response.status_code, "body": body})
        return response

    return once
