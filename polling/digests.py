"""A short name for what an answer says, so that an unchanged one is recognised without looking into the database."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Any

# A presigned link differs in its query at every read; what it leads to does not.
_QUERY_OF_A_LINK = re.compile(r"(https?://[^\s\"'\\?#]+)\?[^\s\"'\\]*")


def without_signatures(text: str) -> str:
    """`text` with every link cut off where its query begins."""
    return _QUERY_OF_A_LINK.sub(r"\1", text) if "://" in text else text


def digest_of(value: Any) -> str:
    """32 hex digits of a JSON value: the same whatever the order of keys or the signature parts of links."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    text = without_signatures(text)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
