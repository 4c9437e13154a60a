"""Tolerant readers for single fields of decoded JSON.

Only what nothing works without (the object itself, its id, a status) may be missing at a price: those raise
`WrongShape`. Everything else has a value for "absent", "null" and "not what was documented", and the third
is logged, once for each (type, field), so that a contract that moves is seen and nothing stops.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from heygen.json_types import JsonObject, Raw

logger = logging.getLogger("heygen")

T = TypeVar("T")

# Beyond 2**53 a JSON number is not exact, and no database column of ours takes it.
LARGEST = 2**53
# Unix seconds of the year 5138; a larger number can only be milliseconds.
LARGEST_SECONDS = 100_000_000_000

_noted: set[tuple[str, str]] = set()
_NOTED_LIMIT = 1000  # field names come from outside: the memory of them is bounded

_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")


class WrongShape(ValueError):
    """The JSON is not the documented object and nothing sensible can be read from it."""


def note(kind: str, field: str, what: str) -> None:
    """Log once per process that `field` of `kind` is not as documented. The value is never logged."""
    if (kind, field) in _noted or len(_noted) >= _NOTED_LIMIT:
        return
    _noted.add((kind, field))
    logger.warning("HeyGen answer differs from the contract: %s.%s %s", kind, field[:100], what)


def forget_notes() -> None:
    """Start to log each (type, field) anew; for tests."""
    _noted.clear()


def parse(body: bytes) -> Any:
    """Decode a JSON body; raises WrongShape.

    What a database would refuse later is replaced here: NUL characters and half surrogate pairs in texts by
    U+FFFD, numbers without a finite value by null. One such character must not stop a mirror.
    """
    try:
        value = _decoder.decode(body.decode("utf-8-sig", "replace"))
        if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:
            value = _storable(value)
    except (ValueError, RecursionError) as problem:
        raise WrongShape(f"not JSON ({type(problem).__name__})") from None
    return value


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


_decoder = json.JSONDecoder(parse_float=_finite, parse_constant=lambda name: None)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        clean = value.replace("\x00", "\ufffd")
        return clean.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


def json_object(kind: str, value: Any) -> JsonObject:
    """`value` as an object; raises WrongShape when it is anything else."""
    if not isinstance(value, dict):
        raise WrongShape(f"{kind} is {_name(value)}, not an object")
    return value


def note_unknown(kind: str, raw: Raw, known: frozenset[str]) -> None:
    """Log the fields that the contract lacks; they stay in `raw`."""
    if not known.issuperset(raw):
        for field in raw:
            if field not in known:
                note(kind, field, "is new")


def identity(kind: str, raw: Raw, *keys: str) -> str:
    """The first of `keys` that holds an id; raises WrongShape when none does. A number becomes its digits."""
    for key in keys:
        value = raw.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            note(kind, key, "is a number, not a string")
            return _digits(value)
    raise WrongShape(f"{kind} has no {keys[0]}")


def text(kind: str, raw: Raw, key: str, default: str = "") -> str:
    """A string; null and absent give `default`, anything else its JSON, so that it can at least be shown."""
    value = raw.get(key)
    if isinstance(value, str):
        return value
    if value is None:
        return default
    note(kind, key, f"is {_name(value)}, not a string")
    return _shown(value)


def optional_text(kind: str, raw: Raw, key: str) -> str | None:
    """A string or None; the empty string stays. Objects and lists count as absent."""
    value = raw.get(key)
    if value is None or isinstance(value, str):
        return value
    note(kind, key, f"is {_name(value)}, not a string")
    return None if isinstance(value, (dict, list, bool)) else _shown(value)


def texts(kind: str, raw: Raw, key: str) -> tuple[str, ...]:
    """A list of strings; null, absent and the empty list are the same. Numbers become strings, the rest goes."""
    value = raw.get(key)
    if not value:
        if value is not None and value != []:
            note(kind, key, f"is {_name(value)}, not a list")
        return ()
    if not isinstance(value, list):
        note(kind, key, f"is {_name(value)}, not a list")
        return ()
    found: list[str] = []
    for item in value:
        if isinstance(item, str):
            found.append(item)
        else:
            note(kind, key, f"holds {_name(item)}, not only strings")
            if isinstance(item, (int, float)) and not isinstance(item, bool):
                found.append(_shown(item))
    return tuple(found)


def number(kind: str, raw: Raw, key: str) -> float | None:
    """A number or None; numeric strings count."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if abs(value) <= LARGEST:
            return float(value)
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        note(kind, key, "is a string, not a number")
        return float(value)
    note(kind, key, f"is {_name(value)}, not a usable number")
    return None


def whole(kind: str, raw: Raw, key: str) -> int | None:
    """An integer or None; fractions are cut off."""
    value = raw.get(key)
    if type(value) is int and abs(value) <= LARGEST:
        return value
    found = number(kind, raw, key)
    return None if found is None else int(found)


def flag(kind: str, raw: Raw, key: str, default: bool = False) -> bool:
    """True or false; null, absent and everything else give `default`."""
    value = raw.get(key)
    if isinstance(value, bool):
        return value
    if value is not None:
        note(kind, key, f"is {_name(value)}, not true or false")
    return default


def moment(kind: str, raw: Raw, key: str) -> datetime | None:
    """An aware UTC time from Unix seconds or an ISO 8601 string; None when it is absent or unusable."""
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is int and 0 <= value <= LARGEST_SECONDS:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return _iso(kind, key, value)
    seconds = number(kind, raw, key)
    if seconds is None:
        return None
    if abs(seconds) > LARGEST_SECONDS:
        note(kind, key, "is in milliseconds, not in seconds")
        seconds /= 1000
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        note(kind, key, "is not a usable time")
        return None


def _iso(kind: str, key: str, value: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
        # HeyGen's strings end in Z; one without a zone is taken as UTC.
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        note(kind, key, "is not a usable time")
        return None


def mapping(kind: str, raw: Raw, key: str) -> JsonObject | None:
    """An object or None."""
    value = raw.get(key)
    if value is None or isinstance(value, dict):
        return value
    note(kind, key, f"is {_name(value)}, not an object")
    return None


def nested(kind: str, raw: Raw, key: str, decode: Callable[[Any], T]) -> T | None:
    """An object decoded by `decode`, or None when it is null, absent or not usable."""
    value = mapping(kind, raw, key)
    if value is None:
        return None
    try:
        return decode(value)
    except WrongShape as problem:
        note(kind, key, str(problem))
        return None


def objects(kind: str, value: Any, decode: Callable[[Any], T]) -> tuple[T, ...]:
    """Every usable item of a list, in its order; an item that cannot be read is left out and logged once."""
    found: list[T] = []
    for item in value:
        try:
            found.append(decode(item))
        except WrongShape as problem:
            note(kind, "[]", f"was left out: {problem}")
    return tuple(found)


def _name(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "a boolean",
        int: "a number",
        float: "a number",
        str: "a string",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "something else")


def _shown(value: Any) -> str:
    return _digits(value) if type(value) is int else json.dumps(value, ensure_ascii=False)


def _digits(value: int) -> str:
    # Python refuses to print integers of more than 4300 digits.
    return str(value) if abs(value) <= 10**1000 else "out of range"
