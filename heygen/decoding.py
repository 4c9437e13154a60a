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
from collections.abc import Callable, Container
from datetime import UTC, datetime
from typing import Any, TypeVar

from heygen.json_types import JsonObject, Raw

logger = logging.getLogger("heygen")

T = TypeVar("T")

# Beyond 2**53 a JSON number is not exact, and no database column of ours takes it.
LARGEST = 2**53
# Unix seconds of the year 5138; a larger number can only be milliseconds.
LARGEST_SECONDS = 100_000_000_000
# Times outside of these cannot be shown in every time zone, or are none.
EARLIEST, LATEST = datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(LARGEST_SECONDS, UTC)
# Characters of an id: opaque as they are, there must be room for them wherever they are kept.
LONGEST_ID = 255
# Digits of a number: Python refuses to write down integers of more than 4300.
LONGEST_INTEGER = 1000
# Levels of objects and lists in each other. The contract needs six; what is read here is walked again by code that
# has less of the stack left (JSON for the database, redaction).
DEEPEST = 64

_noted: set[tuple[str, str]] = set()
_NOTED_LIMIT = 1000  # field names come from outside: the memory of them is bounded

_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,18})?")


class WrongShape(ValueError):
    """The JSON is not the documented object and nothing sensible can be read from it."""


def note(kind: str, field: str, what: str) -> None:
    """Log once per process that `field` of `kind` is not as documented. The value is never logged."""
    _note(kind, field, what, key=field)


def _note(kind: str, field: str, what: str, *, key: str) -> None:
    if (kind, key) in _noted or len(_noted) >= _NOTED_LIMIT:
        return
    _noted.add((kind, key))
    logger.warning("HeyGen answer differs from the contract: %s.%s %s", kind, field[:100], what)


def forget_notes() -> None:
    """Start to log each (type, field) anew; for tests."""
    _noted.clear()


def parse(body: bytes) -> Any:
    """Decode a JSON body; raises WrongShape.

    What a database would refuse later is replaced here: NUL characters and half surrogate pairs in texts by
    U+FFFD, numbers without a finite value or with a thousand digits by null; what is nested too deeply is emptied.
    One such value must not stop a mirror.
    """
    try:
        value = _decoder.decode(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as problem:
        raise WrongShape(f"not JSON ({type(problem).__name__})") from None
    _cut_deep(value)
    if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:
        value = _storable(value)
    return value


def _finite(number: str) -> float | None:
    value = float(number)
    return value if math.isfinite(value) else None


def _integer(number: str) -> int | None:
    return int(number) if len(number) <= LONGEST_INTEGER else None


_decoder = json.JSONDecoder(parse_float=_finite, parse_int=_integer, parse_constant=lambda name: None)


def _cut_deep(value: Any) -> None:
    """Empty the objects and lists below the `DEEPEST` level. Level by level: recursion is what must not happen."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (
                outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ()
            )
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    note("Answer", "", "is nested too deeply")
    for outer in level:
        outer.clear()


def storable_text(text: str) -> str:
    """`text` without the characters that a database refuses: NUL and half surrogate pairs become U+FFFD."""
    clean = text.replace("\x00", "\ufffd")
    return clean.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
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


def note_word(kind: str, field: str, value: str, known: Container[str]) -> None:
    """Log once each word that a documented list lacks. People see the word as it came; the log does not hold it."""
    word = value.strip().lower()
    if word and word not in known:
        _note(kind, field, "has a word that is new", key=f"{field}={word[:100]}")


def required_text(kind: str, raw: Raw, *keys: str) -> str:
    """The first of `keys` that holds a text; raises WrongShape when none does. A number becomes its digits."""
    for key in keys:
        value = raw.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            note(kind, key, "is a number, not a string")
            return str(value)
    raise WrongShape(f"{kind} has no {keys[0]}")


def identity(kind: str, raw: Raw, *keys: str) -> str:
    """The first of `keys` that holds an id; raises WrongShape when none does, or when no column can hold it."""
    value = required_text(kind, raw, *keys)
    if len(value) > LONGEST_ID:
        # Cut off it would be the id of something else.
        raise WrongShape(f"{kind}.{keys[0]} is longer than {LONGEST_ID} characters")
    return value


def optional_identity(kind: str, raw: Raw, key: str) -> str | None:
    """An id or None; null, "" and one that no column can hold are none."""
    value = optional_text(kind, raw, key)
    if value and len(value) > LONGEST_ID:
        note(kind, key, f"is longer than {LONGEST_ID} characters")
        return None
    return value or None


def identities(kind: str, raw: Raw, key: str) -> tuple[str, ...]:
    """A list of ids, as `texts`; those that no column can hold are left out."""
    found = texts(kind, raw, key)
    usable = tuple(one for one in found if 0 < len(one) <= LONGEST_ID)
    if len(usable) < len(found):
        note(kind, f"{key}[]", f"is empty or longer than {LONGEST_ID} characters")
    return usable


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
    if not 0 <= seconds <= LARGEST_SECONDS:
        note(kind, key, "is not a usable time")
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _iso(kind: str, key: str, value: str) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(value)
        # HeyGen's strings end in Z; one without a zone is taken as UTC.
        found: datetime | None = (
            parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
        )
    except (ValueError, OverflowError):
        found = None
    if found is not None and EARLIEST <= found <= LATEST:
        return found
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
    return json.dumps(value, ensure_ascii=False)
