"""How long a film was wished to be. HeyGen's calls have no field for it: the prompt is where a length is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORDS = {
    "half a": 0.5, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "fifteen": 15,
    "twenty": 20, "thirty": 30, "forty": 40, "forty-five": 45, "sixty": 60, "ninety": 90,
}  # fmt: skip
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60),
}
_NUMBER = r"\d{1,4}(?:[.,]\d{1,2})?"
_UNIT = "|".join(_SECONDS)
_SAID = "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
_LENGTH = re.compile(
    rf"""(?<![\w.,:])(?:
      (?P<clock>\d{{1,2}}:[0-5]\d)\s?(?:{_UNIT}|long)
    | (?P<low>{_NUMBER})\s?(?:-|\u2013|to|or)\s?(?P<high>{_NUMBER})[\s-]?(?P<range_unit>{_UNIT})
    | (?P<number>{_NUMBER}|{_SAID})[\s-]?(?P<unit>{_UNIT})
    )(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A length between `least` and `most`, in seconds; most wishes are one number."""

    least: float
    most: float


def wished(prompt: str) -> Wish | None:
    """The first length that the text names in figures or small number words, in English; None where it names none."""
    if found := _LENGTH.search(prompt):
        if found["clock"]:
            minutes, seconds = found["clock"].split(":")
            return _wish(60 * int(minutes) + int(seconds))
        unit = _SECONDS[(found["range_unit"] or found["unit"]).casefold()]
        if found["low"]:
            return _wish(unit * _figure(found["low"]), unit * _figure(found["high"]))
        said = found["number"].casefold()
        return _wish(unit * (_WORDS[said] if said in _WORDS else _figure(said)))
    return None


def _figure(text: str) -> float:
    return float(text.replace(",", "."))


def _wish(least: float, most: float | None = None) -> Wish | None:
    most = least if most is None else most
    return Wish(min(least, most), max(least, most)) if least and most else None
