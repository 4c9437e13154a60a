"""The account itself and what it may spend."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from heygen import decoding as read
from heygen.json_types import Raw
from heygen.types.fields import known_word

# The words that the contract lists for a field. Others are kept and shown as they come, and logged once.
_BILLING_TYPES = frozenset({"wallet", "subscription", "usage_based"})
_CURRENCIES = frozenset({"usd", "credits"})
_PLANS = frozenset({"free", "starter", "creator", "pro", "team", "enterprise", "business_plus"})


@dataclass(frozen=True, slots=True)
class AutoReload:
    """Whether a wallet fills itself, and from which balance, in US dollars."""

    enabled: bool
    threshold_usd: float | None
    amount_usd: float | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("AutoReload", value)
        return cls(
            enabled=read.flag("AutoReload", raw, "enabled"),
            threshold_usd=read.number("AutoReload", raw, "threshold_usd"),
            amount_usd=read.number("AutoReload", raw, "amount_usd"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Wallet:
    """A prepaid balance in `currency` ("usd" or "credits"); None is unknown, not zero."""

    currency: str
    remaining_balance: float | None
    auto_reload: AutoReload | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Wallet", value)
        return cls(
            currency=known_word("Wallet", raw, "currency", _CURRENCIES) or "",
            remaining_balance=read.number("Wallet", raw, "remaining_balance"),
            auto_reload=read.nested("Wallet", raw, "auto_reload", AutoReload.from_json),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class CreditBucket:
    """Credits of a plan and when they are filled again."""

    remaining: int | None
    resets_at: datetime | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("CreditBucket", value)
        return cls(
            remaining=read.whole("CreditBucket", raw, "remaining"),
            resets_at=read.moment("CreditBucket", raw, "resets_at"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Subscription:
    """A plan; `plan` is for instance "creator" or "enterprise"."""

    plan: str
    premium_credits: CreditBucket | None
    add_on_credits: CreditBucket | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Subscription", value)
        credits = read.mapping("Subscription", raw, "credits") or {}
        return cls(
            plan=known_word("Subscription", raw, "plan", _PLANS) or "",
            premium_credits=read.nested("Subscription", credits, "premium_credits", CreditBucket.from_json),
            add_on_credits=read.nested("Subscription", credits, "add_on_credits", CreditBucket.from_json),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class UsageBased:
    """Spending against a cap, in US dollars, and credits; None is unknown."""

    spending_current_usd: float | None
    spending_cap_usd: float | None
    included_credits: float | None
    remaining_credits: float | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("UsageBased", value)
        return cls(
            spending_current_usd=read.number("UsageBased", raw, "spending_current_usd"),
            spending_cap_usd=read.number("UsageBased", raw, "spending_cap_usd"),
            included_credits=read.number("UsageBased", raw, "included_credits"),
            remaining_credits=read.number("UsageBased", raw, "remaining_credits"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Account:
    """Who the key belongs to and what is left; the object that `billing_type` names is filled.

    The figures are a hint: plan credits that this call does not show were charged. Source: GET /v3/users/me.
    """

    username: str
    email: str | None
    first_name: str | None
    last_name: str | None
    billing_type: str | None
    wallet: Wallet | None
    subscription: Subscription | None
    usage_based: UsageBased | None
    raw: Raw = field(repr=False)

    @classmethod
    def from_json(cls, value: Any) -> Self:
        raw = read.json_object("Account", value)
        read.note_unknown("Account", raw, _ACCOUNT)
        return cls(
            username=read.text("Account", raw, "username"),
            email=read.optional_text("Account", raw, "email"),
            first_name=read.optional_text("Account", raw, "first_name"),
            last_name=read.optional_text("Account", raw, "last_name"),
            billing_type=known_word("Account", raw, "billing_type", _BILLING_TYPES),
            wallet=read.nested("Account", raw, "wallet", Wallet.from_json),
            subscription=read.nested("Account", raw, "subscription", Subscription.from_json),
            usage_based=read.nested("Account", raw, "usage_based", UsageBased.from_json),
            raw=raw,
        )


_ACCOUNT = frozenset(
    {
        "username",
        "email",
        "first_name",
        "last_name",
        "billing_type",
        "wallet",
        "subscription",
        "usage_based",
    }
)
