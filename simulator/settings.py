"""What the control API may change while the simulator runs. Kept in the store."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Settings:
    """Switches of the whole simulator.

    `idle_seconds` closes a text stream (story seconds); `link_seconds` is the life of a signed link (real seconds).
    `signature` is the header style of webhooks. Pauses between delivery attempts are story seconds.
    """

    unauthorized_style: str = "live"
    link_seconds: float = 3600.0
    idle_seconds: float = 30.0
    hls_cors: bool = True
    signature: str = "heygen"
    webhook_copies: int = 1
    webhook_without_url: bool = False
    webhook_type_key: str = "event_type"
    webhook_ids: bool = True
    callback_signed: bool = False
    probe_endpoints: bool = False
    allow_http_webhooks: bool = False
    realtime_enabled: bool = True
    retry_after: int = 15
    speech_rate: float = 2.6

    CHOICES = {
        "unauthorized_style": ("live", "seed"),
        "signature": ("heygen", "plain", "x-heygen", "none"),
        "webhook_type_key": ("event_type", "event", "type"),
    }

    def change(self, values: dict[str, Any]) -> None:
        """Take new values; raises ValueError for an unknown name or a wrong type, and then changes nothing."""
        change(self, values, self.CHOICES)


@dataclass(slots=True)
class AccountSettings:
    """Switches of one account. `balance` is what `billing_type` counts in; null means that the API tells nothing."""

    billing_type: str | None = "wallet"
    balance: float | None = 250.0
    spending_cap: float | None = 500.0
    plan: str = "pro"
    max_sessions: int = 10
    max_streams: int = 3
    requests_per_second: float = 0.0
    key_works: bool = True
    avatar_video_price: float = 0.0333
    realtime_price: float = 0.05

    CHOICES = {
        "billing_type": ("wallet", "subscription", "usage_based", None),
        "plan": ("free", "starter", "creator", "pro", "team", "enterprise", "business_plus"),
    }

    def change(self, values: dict[str, Any]) -> None:
        change(self, values, self.CHOICES)


def change(target: Any, values: dict[str, Any], choices: dict[str, tuple[Any, ...]]) -> None:
    kinds = {field.name: str(field.type) for field in dataclasses.fields(target)}
    checked = {}
    for name, value in values.items():
        if name not in kinds:
            raise ValueError(f"{name!r} is no setting; known are: {', '.join(sorted(kinds))}")
        if name in choices:
            if value not in choices[name]:
                raise ValueError(f"{name} must be one of {choices[name]}")
        elif not fits(value, kinds[name]):
            raise ValueError(f"{name} must be {kinds[name]}")
        checked[name] = float(value) if "float" in kinds[name] and value is not None else value
    for name, value in checked.items():
        setattr(target, name, value)


def fits(value: Any, kind: str) -> bool:
    if value is None:
        return "None" in kind
    if "bool" in kind:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if "int" in kind:
        return isinstance(value, int)
    return isinstance(value, int | float) if "float" in kind else isinstance(value, str)
