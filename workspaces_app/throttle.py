"""How often a sign-in may be tried: a leaky bucket for each visitor and each account, in the database.

A stranger who hammers an account slows it down and cannot lock it: the buckets empty at a steady rate, and a
browser that has signed in before brings a signed device cookie and draws from a bucket of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from django.conf import settings
from django.db.models import F, FloatField, Value
from django.db.models.functions import Cast, Greatest

from polling import clock
from workspaces_app.models import SignInBucket


@dataclass(frozen=True, slots=True)
class Allowance:
    """`burst` tries at once, then one every `seconds`."""

    burst: int
    seconds: float


BY_VISITOR = Allowance(burst=30, seconds=30)
BY_ACCOUNT_AND_VISITOR = Allowance(burst=5, seconds=30)
BY_ACCOUNT = Allowance(burst=50, seconds=5)
BY_DEVICE = Allowance(burst=10, seconds=30)
FORGET_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Bucket:
    """One allowance of one visitor, account or device."""

    name: str
    allowance: Allowance

    @property
    def key(self) -> str:
        """A keyed hash: the table tells nobody which addresses and accounts were tried."""
        return blake2b(
            self.name.encode(),
            digest_size=20,
            key=settings.SECRET_KEY.encode()[:64],
            person=b"dailies-signin",
        ).hexdigest()


def buckets(*, email: str, visitor: str, device: str | None) -> list[Bucket]:
    """What one try draws from. `device` is the id in a valid device cookie of this very account."""
    account = email.strip().lower()
    if device is not None:
        return [Bucket(f"device {device}", BY_DEVICE)]
    return [
        Bucket(f"visitor {visitor}", BY_VISITOR),
        Bucket(f"account {account} visitor {visitor}", BY_ACCOUNT_AND_VISITOR),
        Bucket(f"account {account}", BY_ACCOUNT),
    ]


def _draw(bucket: Bucket, now: float) -> bool:
    """Takes one try; False when the bucket has none. One UPDATE: two tries at once cannot share the last one."""
    step, room = bucket.allowance.seconds, bucket.allowance.seconds * bucket.allowance.burst
    filled = Greatest(F("spent_until"), Cast(Value(now), FloatField()))
    return (
        SignInBucket.objects.filter(key=bucket.key, spent_until__lte=now + room - step).update(
            spent_until=filled + step
        )
        == 1
    )


def draw(wanted: Sequence[Bucket], *, now: float | None = None) -> float:
    """Takes one try from every bucket: 0 when all had one, else the seconds until the next is worth it.

    A refused try gives back what it had already drawn, so that waiting helps.
    """
    moment = clock.now().timestamp() if now is None else now
    SignInBucket.objects.bulk_create(
        [SignInBucket(key=bucket.key, spent_until=moment) for bucket in wanted], ignore_conflicts=True
    )
    drawn: list[Bucket] = []
    for bucket in wanted:
        if _draw(bucket, moment):
            drawn.append(bucket)
            continue
        give_back(drawn)
        spent = (
            SignInBucket.objects.filter(key=bucket.key).values_list("spent_until", flat=True).first()
            or moment
        )
        step, room = bucket.allowance.seconds, bucket.allowance.seconds * bucket.allowance.burst
        return max(1.0, spent - (moment + room - step))
    return 0.0


def give_back(wanted: Sequence[Bucket]) -> None:
    """Returns one try to each bucket: the right password costs nothing."""
    for bucket in wanted:
        SignInBucket.objects.filter(key=bucket.key).update(
            spent_until=F("spent_until") - bucket.allowance.seconds
        )


def forget_old(*, now: float | None = None) -> int:
    """Removes buckets that have been empty for an hour; returns how many."""
    moment = clock.now().timestamp() if now is None else now
    return SignInBucket.objects.filter(spent_until__lt=moment - FORGET_AFTER_SECONDS).delete()[0]
