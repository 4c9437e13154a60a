"""What the page of a workspace says about its account: balance, key, catalogue, usage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from commands.models import Command
from polling import keys as key_states
from polling import reasons, schedule
from polling.models import KeyState
from workspaces_app import account, keys
from workspaces_app.connections import NO_CREDIT
from workspaces_app.models import AccountSnapshot, CatalogueItem, CatalogueKind, CatalogueRead, Workspace

USAGE_DAYS = 30

CATALOGUE_WORDS: dict[str, Any] = {
    CatalogueKind.LOOK: ngettext_lazy("%(count)s look", "%(count)s looks", "count"),
    CatalogueKind.VOICE: ngettext_lazy("%(count)s voice", "%(count)s voices", "count"),
    CatalogueKind.STYLE: ngettext_lazy("%(count)s style", "%(count)s styles", "count"),
    CatalogueKind.BRAND_KIT: ngettext_lazy("%(count)s brand kit", "%(count)s brand kits", "count"),
    CatalogueKind.GLOSSARY: ngettext_lazy("%(count)s glossary", "%(count)s glossaries", "count"),
}


@dataclass(frozen=True, slots=True)
class UsageLine:
    """One figure of the last 30 days."""

    label: str
    value: str
    hint: str = ""


def usage_line(label: str, number: int, *, seconds: float, price: float) -> UsageLine:
    """So many things, how long they are together, and what that costs at `price` US dollars a second. An estimate: HeyGen
    does not tell what it bills."""
    hint = _("%(minutes)s minutes, about $%(cost)s at $%(price)s a second") % {
        "minutes": f"{seconds / 60:,.1f}",
        "cost": f"{seconds * price:,.2f}",
        "price": f"{price:g}",
    }
    return UsageLine(label=label % {"days": USAGE_DAYS}, value=f"{number:,}", hint=hint)


Usage = Callable[[Workspace, datetime], Sequence[UsageLine]]
_usage: list[Usage] = []


def register_usage(lines: Usage) -> None:
    """Adds an app's figures: called with the workspace and the moment from which to count."""
    if lines not in _usage:
        _usage.append(lines)


@dataclass(frozen=True, slots=True)
class Overview:
    balance: str = ""
    account: str = ""
    account_as_of: datetime | None = None
    key_group: str = "done"
    key_words: str = ""
    key_why: str = ""
    key_until: datetime | None = None
    catalogue: str = ""
    catalogue_as_of: datetime | None = None
    catalogue_problems: list[str] = field(default_factory=list)
    may_refresh: bool = False
    # HeyGen said that there is no credit left, and only a person knows when there is some again.
    waits_for_credit: bool = False
    usage: list[UsageLine] = field(default_factory=list)


def of(workspace: Workspace) -> Overview:
    """Everything about one workspace that its page shows beside its members. Reads rows only."""
    snapshot = AccountSnapshot.objects.filter(workspace=workspace).first()
    read = CatalogueRead.objects.filter(workspace=workspace).first()
    fresh = schedule.freshness(account.KIND, [workspace.pk]).get(workspace.pk)
    closed = key_states.rests(workspace.key_fingerprint) if workspace.has_key else []
    group, words = _key(workspace, closed)
    rest = closed[0] if closed else None
    since = timezone.now() - timedelta(days=USAGE_DAYS)
    return Overview(
        balance=snapshot.balance_words if snapshot else "",
        account=(snapshot.email or snapshot.username) if snapshot else "",
        account_as_of=fresh.polled_at if fresh else None,
        key_group=group,
        key_words=words,
        key_why=(reasons.fact(rest.reason) or rest.reason) if rest else "",
        key_until=rest.closed_until if rest else None,
        catalogue=_catalogue(workspace),
        catalogue_as_of=read.finished_at if read else None,
        catalogue_problems=[f"{part}: {why}" for part, why in read.problems.items()] if read else [],
        may_refresh=workspace.has_key,
        waits_for_credit=any(rest.reason == NO_CREDIT for rest in closed),
        usage=[_presses(workspace, since), *(line for lines in _usage for line in lines(workspace, since))],
    )


def _key(workspace: Workspace, closed: Sequence[KeyState]) -> tuple[str, str]:
    """The state of the key as a status: group and words. `closed` is all that it rests from."""
    if not workspace.has_key:
        return "needs_you", _("No API key")
    if not closed:
        return "done", _("In use")
    words = _("Nothing new is started") if closed[0].scope == KeyState.Scope.PAID else _("Not used")
    return ("failed" if closed[0].needs_person else "working"), words


def _catalogue(workspace: Workspace) -> str:
    rows = (
        CatalogueItem.objects.filter(workspace=workspace, gone=False)
        .values_list("kind")
        .annotate(Count("pk"))
    )
    counts = dict(rows)
    return ", ".join(
        words % {"count": counts[kind]} for kind, words in CATALOGUE_WORDS.items() if kind in counts
    )


def _presses(workspace: Workspace, since: datetime) -> UsageLine:
    sent = Command.objects.filter(workspace=workspace, state="accepted", created_at__gte=since).count()
    return UsageLine(
        label=_("Sent to HeyGen"),
        value=f"{sent:,}",
        hint=_("in the last %(days)s days") % {"days": USAGE_DAYS},
    )


def refresh(workspace: Workspace) -> None:
    """Has account and catalogue read again as soon as the budget allows."""
    if workspace.has_key:
        keys.enroll(workspace.pk, workspace.key_fingerprint)
        keys.read_again(workspace.pk)
