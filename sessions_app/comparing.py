"""What changed from one storyboard to another: in its pictures, and word by word in its text. Pure.

HeyGen tells nothing of this. A picture that is shown again has the same id; one that was redrawn has a new one, and takes
the place of another.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

What = Literal["same", "moved", "changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One picture of two storyboards side by side; `old` and `new` are its places in them, from 0."""

    what: What
    old: int | None
    new: int | None


def compare(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Step]:
    """The steps in the order of the new storyboard; what was removed stands where it was. Each list names nothing twice.

    As many pictures as can be stay where they were; another one that both show was moved. Between two that stayed, the
    first that went and the first that came are one picture that changed, and so on.
    """
    was_at = {each: place for place, each in enumerate(old)}
    now_at = {each: place for place, each in enumerate(new)}
    shared = [(was_at[each], place) for each, place in now_at.items() if each in was_at]
    stayed = _longest_rising(shared)
    steps: list[Step] = []
    for (old_before, new_before), (old_next, new_next) in pairwise([(-1, -1), *stayed, (len(old), len(new))]):
        if new_before >= 0:
            steps.append(Step("same", old_before, new_before))
        gone = [place for place in range(old_before + 1, old_next) if old[place] not in now_at]
        here = [place for place in range(new_before + 1, new_next) if new[place] not in was_at]
        replaced = dict(zip(here, gone, strict=False))
        for place in range(new_before + 1, new_next):
            if new[place] in was_at:
                steps.append(Step("moved", was_at[new[place]], place))
            elif place in replaced:
                steps.append(Step("changed", replaced[place], place))
            else:
                steps.append(Step("added", None, place))
        steps += [Step("removed", place, None) for place in gone[len(here) :]]
    return steps


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of `pairs` in which the first numbers rise, too; the second ones do already."""
    ends: list[int] = []  # the smallest last number of a rising row of each length
    at: list[int] = []
    before: list[int | None] = []
    for index, (first, _second) in enumerate(pairs):
        length = bisect_left(ends, first)
        before.append(at[length - 1] if length else None)
        ends[length : length + 1] = [first]
        at[length : length + 1] = [index]
    found: list[tuple[int, int]] = []
    last = at[-1] if at else None
    while last is not None:
        found.append(pairs[last])
        last = before[last]
    return found[::-1]


Kind = Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that both texts have, or only the old (`removed`) or the new one (`added`)."""

    kind: Kind
    text: str


# A word with the blanks after it; scripts without blanks between words are compared by character.
_WORDS = re.compile(r"[぀-ヿ㐀-鿿가-힯]\s*|[^\s぀-ヿ㐀-鿿가-힯]+\s*|\s+")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Comparing costs up to the product of both lengths: this many steps take about a quarter of a second.
MOST_STEPS = 1_000_000


def diff_words(old: str, new: str) -> list[Piece]:
    """What was taken out and put in, so that `same` and `added` together are `new`.

    Blanks alone make no difference. Very long texts that differ all over are compared by line, or not at all.
    """
    for pattern in (_WORDS, _LINES):
        ours, theirs = pattern.findall(old), pattern.findall(new)
        begin, end = _common_ends([each.strip() for each in ours], [each.strip() for each in theirs])
        if (len(ours) - begin - end) * (len(theirs) - begin - end) <= MOST_STEPS:
            return _diff(ours, theirs, begin, end)
    return _merged([Piece("removed", old), Piece("added", new)])


def _common_ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many are the same at the beginning and, of the rest, at the end."""
    shorter = min(len(old), len(new))
    begin = 0
    while begin < shorter and old[begin] == new[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and old[-1 - end] == new[-1 - end]:
        end += 1
    return begin, end


def _diff(old: Sequence[str], new: Sequence[str], begin: int, end: int) -> list[Piece]:
    ours, theirs = old[begin : len(old) - end], new[begin : len(new) - end]
    matcher = SequenceMatcher(
        None, [each.strip() for each in ours], [each.strip() for each in theirs], autojunk=False
    )
    pieces = [Piece("same", "".join(new[:begin]))]
    for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if tag == "equal":
            pieces.append(Piece("same", "".join(theirs[new_from:new_to])))
        else:
            pieces.append(Piece("removed", "".join(ours[old_from:old_to])))
            pieces.append(Piece("added", "".join(theirs[new_from:new_to])))
    return _merged([*pieces, Piece("same", "".join(new[len(new) - end :]))])


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Without empty ones, and neighbours of one kind as one."""
    found: list[Piece] = []
    for piece in pieces:
        if not piece.text:
            continue
        if found and found[-1].kind == piece.kind:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        else:
            found.append(piece)
    return found
