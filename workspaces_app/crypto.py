"""Secrets at rest.

A stored secret is an envelope `v1:<kid>:<Fernet token>`; `kid` names the key of `settings.FIELD_KEYS` that sealed
it (the first seals, all of them open), so that `manage.py rotate_keys` can tell what is still under an old one.
Never `SECRET_KEY`: that one is rotated for other reasons, and a leaked cookie secret must not open API keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

VERSION = "v1"


class SealError(Exception):
    """A stored secret cannot be opened: its key is not in FIELD_KEYS, or the text was damaged."""


@dataclass(frozen=True, slots=True, repr=False)
class Ring:
    """The keys of this installation; `newest` seals."""

    newest: str
    keys: Mapping[str, Fernet]
    fingerprinting: bytes


@lru_cache(maxsize=4)
def _ring(field_keys: tuple[str, ...]) -> Ring:
    kids = [blake2b(key.encode(), digest_size=4, person=b"dailies-kid").hexdigest() for key in field_keys]
    return Ring(
        newest=kids[0],
        keys={kid: Fernet(key) for kid, key in zip(kids, field_keys, strict=True)},
        fingerprinting=blake2b(field_keys[0].encode(), person=b"dailies-print").digest(),
    )


def ring() -> Ring:
    """The ring of `settings.FIELD_KEYS`, newest first."""
    return _ring(tuple(settings.FIELD_KEYS))


def seal(secret: str) -> str:
    """The envelope of a secret, under the newest key."""
    keys = ring()
    return f"{VERSION}:{keys.newest}:{keys.keys[keys.newest].encrypt(secret.encode()).decode()}"


def unseal(envelope: str) -> str:
    """The secret in an envelope. Raises SealError, whose text never holds any part of it."""
    version, _, rest = envelope.partition(":")
    kid, _, token = rest.partition(":")
    if version != VERSION or not token:
        raise SealError("not an envelope of this version")
    fernet = ring().keys.get(kid)
    if fernet is None:
        raise SealError(f"sealed with key {kid}, which is not among FIELD_KEYS")
    try:
        return fernet.decrypt(token).decode()
    except InvalidToken:
        raise SealError(f"damaged, or not sealed with key {kid}") from None


def is_newest(envelope: str) -> bool:
    """Whether the newest key sealed it."""
    return envelope.startswith(f"{VERSION}:{ring().newest}:")


def fingerprint(api_key: str) -> str:
    """16 hex digits that name an API key without telling it; equal keys have equal ones.

    Keyed, so that whoever holds the database alone cannot test guesses against it.
    """
    return blake2b(api_key.encode(), digest_size=8, key=ring().fingerprinting).hexdigest()
