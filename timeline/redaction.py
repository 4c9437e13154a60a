"""Keeps secrets out of what is stored for reading later."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any

REDACTED = "[redacted]"

# Compared without case, dashes and underscores: "X-Api-Key", "x_api_key" and "xApiKey" are one name.
_SECRET_NAMES = frozenset(
    (
        *("apikey", "xapikey", "heygenapikey", "authorization", "proxyauthorization", "bearer"),
        *("cookie", "setcookie", "password", "secret", "clientsecret", "secretkey", "privatekey"),
        *("encryptedkey", "accesstoken", "refreshtoken", "idtoken", "sessiontoken"),
    )
)
# What makes a signed link work for whoever holds it.
_SIGNATURE = re.compile(
    r"(?i)([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential"
    r"|signature|sig|policy|key-pair-id|token|access_token|api_key)=)[^&\s\"'<>]+"
)


# A few hundred names come again and again; a stranger cannot fill memory with others.
@functools.lru_cache(maxsize=2048)
def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a credential."""
    return re.sub(r"[^a-z0-9]", "", name.lower()) in _SECRET_NAMES


def redact(value: Any, *, signatures: bool = True) -> Any:
    """A copy of a JSON value without credentials: fields by name and, unless `signatures` is off, what makes signed
    links work (it is off where the product itself still needs the link)."""
    if isinstance(value, Mapping):
        return {
            str(name): REDACTED if is_secret_name(str(name)) else redact(inner, signatures=signatures)
            for name, inner in value.items()
        }
    if isinstance(value, str):
        return _SIGNATURE.sub(rf"\1{REDACTED}", value) if signatures else value
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return [redact(inner, signatures=signatures) for inner in value]
    return value


def secret_names(value: Any) -> list[str]:
    """Names of the fields anywhere in a JSON value that hold a credential, in the order found."""
    if isinstance(value, Mapping):
        found = [str(name) for name in value if is_secret_name(str(name))]
        return found + [name for inner in value.values() for name in secret_names(inner)]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return [name for inner in value for name in secret_names(inner)]
    return []
