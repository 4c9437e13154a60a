"""One account for each API key: who it is, what it may do, what it has left."""

from __future__ import annotations

from typing import Any

from .identifiers import digest
from .settings import AccountSettings

PEOPLE = (
    ("Dana", "Reyes"),
    ("Mika", "Lund"),
    ("Amara", "Okoye"),
    ("Jonas", "Weber"),
    ("Lin", "Zhao"),
    ("Sofia", "Marin"),
)


class Account:
    """The owner of one key. `working` and `streaming` count what runs right now, for the ceilings."""

    def __init__(self, key: str, seed: int, place: int, settings: AccountSettings) -> None:
        self.key = key
        self.settings = settings
        self.id = digest(seed, "account", key, size=8)
        self.username = "u_" + self.id
        self.space_id = "space_" + digest(seed, "space", key, size=8)
        self.first_name, self.last_name = PEOPLE[place % len(PEOPLE)]
        self.email = f"{self.first_name.lower()}.{self.last_name.lower()}@example.com"
        self.working = 0
        self.streaming = 0
        self.tokens = 0.0
        self.refilled_at = 0.0

    def has_credit(self, spent: float) -> bool:
        settings = self.settings
        if settings.billing_type == "usage_based" and settings.spending_cap is not None:
            return spent < settings.spending_cap
        return settings.balance is None or settings.balance - spent > 0

    def as_user(self, spent: float) -> dict[str, Any]:
        """`data` of GET /v3/users/me: exactly the object named by `billing_type` is filled."""
        settings = self.settings
        left = None if settings.balance is None else round(settings.balance - spent, 2)
        user: dict[str, Any] = {
            "username": self.username,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "billing_type": settings.billing_type,
            "wallet": None,
            "subscription": None,
            "usage_based": None,
        }
        if settings.billing_type == "wallet":
            auto_reload = {"enabled": False, "threshold_usd": None, "amount_usd": None}
            user["wallet"] = {"currency": "usd", "remaining_balance": left, "auto_reload": auto_reload}
        elif settings.billing_type == "subscription":
            bucket = None if left is None else {"remaining": int(left), "resets_at": "2027-01-01T00:00:00Z"}
            user["subscription"] = {
                "plan": settings.plan,
                "credits": {"premium_credits": bucket, "add_on_credits": None},
            }
        elif settings.billing_type == "usage_based":
            user["usage_based"] = {
                "spending_current_usd": round(spent, 2),
                "spending_cap_usd": settings.spending_cap,
                "included_credits": None,
                "remaining_credits": None,
            }
        return user
