"""Cursors: opaque to clients, and stable while new items arrive in front."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from .errors import invalid

Item = TypeVar("Item")


def limit_of(query: Mapping[str, str], *, default: int, most: int) -> int:
    raw = query.get("limit")
    if raw is None:
        return default
    digits = raw.lstrip("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 9 and 1 <= int(raw) <= most):
        raise invalid(f"limit must be a whole number from 1 to {most}.", "limit")
    return int(raw)


def token_for(identifier: str) -> str:
    return base64.urlsafe_b64encode(("after:" + identifier).encode()).decode().rstrip("=")


def anchor_of(token: str) -> str:
    """The id that a cursor stands behind."""
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise invalid("token is not a cursor of this list.", "token") from error
    if not text.startswith("after:"):
        raise invalid("token is not a cursor of this list.", "token")
    return text[len("after:") :]


def cut(
    items: Iterable[Item],
    query: Mapping[str, str],
    identify: Callable[[Item], str],
    *,
    default: int,
    most: int,
) -> tuple[list[Item], str | None]:
    """One page and the cursor of the next, or None."""
    limit = limit_of(query, default=default, most=most)
    token = query.get("token") or ""
    rest = iter(items)
    if token:
        anchor = anchor_of(token)
        if not any(identify(item) == anchor for item in rest):
            raise invalid("token is not a cursor of this list.", "token")
    found = list(islice(rest, limit + 1))
    page = found[:limit]
    return page, token_for(identify(page[-1])) if len(found) > limit else None


def envelope(data: list[dict[str, Any]], next_token: str | None) -> dict[str, Any]:
    return {"data": data, "has_more": next_token is not None, "next_token": next_token}
