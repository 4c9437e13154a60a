"""What every page shows of the person's workspaces: the list for the navigation, how old what is shown can be, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from cachetools import TTLCache, cached
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from polling import health, heartbeats
from workspaces_app import access
from workspaces_app.models import Role, Workspace

# For so long a process believes what it last knew of the mirror's health.
BELIEVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Banner:
    """One problem above the page. `tone` is "error" where a person must act, else "warning"."""

    tone: str
    message: str


def workspaces(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the person's workspaces, and whether they may start anything in one of them.

    Costs no query until a template uses what it gives.
    """
    return {
        "nav_workspaces": SimpleLazyObject(lambda: mine(request)),
        "may_create": SimpleLazyObject(lambda: _may_create(request)),
    }


def _may_create(request: HttpRequest) -> bool:
    return any(Role(workspace.my_role).allows(Role.CREATOR) for workspace in mine(request))


def problems(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `problems` of the mirror and of the person's own keys; nothing for somebody signed out.

    `answered_at` is when HeyGen last answered these keys.
    """
    return {
        "problems": SimpleLazyObject(lambda: banners(request)),
        "answered_at": partial(answered_at, request),
    }


def banners(request: HttpRequest) -> list[Banner]:
    """The same for a page that is open already and asks from time to time."""
    return _banners(mine(request)) if _is_signed_in(request) else []


def answered_at(request: HttpRequest) -> datetime | None:
    """When HeyGen last answered the keys of the person's workspaces, the one that waits longest; None where none has yet."""
    return _known_of(_keys(mine(request))).answered_at if _is_signed_in(request) else None


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def mine(request: HttpRequest) -> list[Workspace]:
    """The person's workspaces by name, each with `my_role`; asked for once in a request, by whoever needs them first."""
    found: list[Workspace] | None = getattr(request, "_workspaces", None)
    if found is None:
        found = list(access.with_roles(request.user)) if _is_signed_in(request) else []
        request._workspaces = found  # type: ignore[attr-defined]
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What this process last knew of some keys."""

    problems: list[health.Problem]
    answered_at: datetime | None


@cached(TTLCache(1024, BELIEVE_SECONDS), lock=Lock())
def _known_of(keys: frozenset[str]) -> _Known:
    return _Known(health.problems(keys), heartbeats.answered_at(keys))


def _keys(workspaces: list[Workspace]) -> frozenset[str]:
    return frozenset(each.key_fingerprint for each in workspaces if each.has_key)


def _banners(workspaces: list[Workspace]) -> list[Banner]:
    keys = _keys(workspaces)
    names = {
        key: ", ".join(each.name for each in workspaces if each.key_fingerprint == key)
        # With a single workspace there is nothing to tell apart.
        for key in (keys if len(workspaces) > 1 else ())
    }
    return [
        Banner(
            tone="error" if problem.code in ("key_refused", "no_credit") else "warning",
            message=f"{names[problem.fingerprint]}: {problem.text}"
            if problem.fingerprint in names
            else problem.text,
        )
        for problem in _known_of(keys).problems
    ]
