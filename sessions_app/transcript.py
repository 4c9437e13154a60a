"""Joins a window of messages to the transcript that we already have. Pure: no database, no clock.

HeyGen shows the newest 40 messages of a session, without ids. What we stored must go on where the window begins, without
a duplicate, a reorder or a silent hole. Source: section 4.9 of the API contract.

How the join is found, first rule that fits:

1. A window that isn't full is the whole visible transcript: line it up with the stored one from the first message.
2. Overlap: the longest stored tail that equals the beginning of the window. The last two stored messages may have been
   reworded since, so they only have to agree in role, type and time, as long as something else anchors the overlap.
3. Messages that HeyGen no longer shows make both fail: then the longest common subsequence decides, if the window
   begins inside what we have.
4. None of these: a full window starts a new stretch behind a gap; a window that isn't full is appended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from heygen import matching
from polling.digests import without_signatures

# How many stored messages from the end a join may have to look at: a whole window, and as many that vanished from it.
TAIL = 80
# The last stored messages may still have been in the making when we read them.
UNSETTLED = 2
# As much of a role or type as is stored.
WORD = 64


class Said(Protocol):
    """What stored and remote messages have in common."""

    @property
    def role(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def created_at(self) -> datetime | None: ...
    @property
    def resource_ids(self) -> Sequence[str]: ...


# Not frozen: that takes three times as long, and every wave of polls makes thousands of them.
@dataclass(slots=True)
class Stored:
    """A message that we have; `position` counts from 0 within the session."""

    position: int
    role: str
    type: str
    content: str
    created_at: datetime | None = None
    resource_ids: Sequence[str] = ()
    vanished: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    position: int
    message: Said


@dataclass(frozen=True, slots=True)
class Edited:
    """HeyGen's `message` now stands at `position`; `earlier` is what stood there when its words changed, else None."""

    position: int
    message: Said
    earlier: Stored | None


@dataclass(frozen=True, slots=True)
class Join:
    """What a window adds to the transcript. `gap_after` is the last position before a hole, -1 for the beginning."""

    appended: tuple[Appended, ...] = ()
    edited: tuple[Edited, ...] = ()
    vanished: tuple[int, ...] = ()
    returned: tuple[int, ...] = ()
    gap_after: int | None = None

    def __bool__(self) -> bool:
        return bool(
            self.appended or self.edited or self.vanished or self.returned or self.gap_after is not None
        )


@dataclass(slots=True)
class _Alignment:
    """Pairs (index in stored, index in window), increasing in both."""

    pairs: list[tuple[int, int]] = field(default_factory=list)


def join(stored: Sequence[Stored], window: Sequence[Said], *, full: bool, from_start: bool = False) -> Join:
    """How `window` (oldest first) continues `stored` (oldest first, at least the last `TAIL` messages).

    `full`: the window has as many messages as HeyGen shows at most, so earlier ones may exist. `from_start`: its first
    message is known to be the session's first. An empty window says nothing and changes nothing.
    """
    if not window:
        return Join()
    if not stored:
        return Join(
            appended=_numbered(window, first=0),
            gap_after=-1 if full and not from_start else None,
        )
    alignment = _align(stored, window, full=full)
    next_position = stored[-1].position + 1
    if alignment is None:
        return Join(
            appended=_numbered(window, first=next_position),
            vanished=() if full else tuple(m.position for m in stored if not m.vanished),
            gap_after=stored[-1].position if full else None,
        )
    return _apply(stored, window, alignment, full=full, next_position=next_position)


def begins_session(window: Sequence[Said], *, created_at: datetime | None, prompt: str) -> bool:
    """Whether the window's oldest message is the session's first, the prompt: HeyGen may shorten it, and dates it like the
    session, which was made at `created_at`."""
    if not window or window[0].role != "user":
        return False
    if created_at is not None and window[0].created_at == created_at:
        return True
    return bool(prompt) and matching.same_text(window[0].content, prompt)


def _numbered(messages: Iterable[Said], *, first: int) -> tuple[Appended, ...]:
    return tuple(Appended(position, message) for position, message in enumerate(messages, start=first))


def _align(stored: Sequence[Stored], window: Sequence[Said], *, full: bool) -> _Alignment | None:
    visible = [index for index, message in enumerate(stored) if not message.vanished]
    everything = list(range(len(stored)))
    # Vanished messages may come back, so they are tried too, but only where the visible ones alone do not fit.
    for indexes in (visible, everything) if len(visible) < len(everything) else (everything,):
        candidate = [stored[index] for index in indexes]
        if not full and stored[0].position == 0 and _same_from_start(candidate, window):
            return _Alignment([(index, place) for place, index in enumerate(indexes)])
        overlap = _overlap(candidate, window)
        if overlap:
            tail = indexes[len(indexes) - overlap :]
            return _Alignment([(index, place) for place, index in enumerate(tail)])
    return _common(stored, window)


def _same_from_start(stored: Sequence[Stored], window: Sequence[Said]) -> bool:
    """Whether the window begins with all of `stored`, rewordings allowed as long as every slot could be the same."""
    if not stored or len(stored) > len(window):
        return False
    pairs = list(zip(stored, window, strict=False))
    if not all(_same_slot(ours, theirs) for ours, theirs in pairs):
        return False
    reworded = sum(not _same_words(ours, theirs) for ours, theirs in pairs)
    return reworded <= max(UNSETTLED, len(pairs) // 2)


def _overlap(stored: Sequence[Stored], window: Sequence[Said]) -> int:
    """Length of the longest end of `stored` that is the beginning of `window`; 0 for none."""
    for length in range(min(len(stored), len(window)), 0, -1):
        tail = stored[len(stored) - length :]
        settled = length - UNSETTLED
        if settled > 0:
            fits = all(_same(tail[i], window[i]) for i in range(settled)) and all(
                _same_slot(tail[i], window[i]) for i in range(settled, length)
            )
        else:
            # Nothing settled anchors it: each must be recognisable by itself, or strangers would be joined.
            fits = all(_recognisable(tail[i], window[i], stored, window) for i in range(length))
        if fits:
            return length
    return 0


def _common(stored: Sequence[Stored], window: Sequence[Said]) -> _Alignment | None:
    """Alignment by the longest common subsequence, where the window begins inside what we have.

    Accepted only if most of the window up to the last common message is known: a lone "yes" that happens to be in both
    is no proof that nothing passed unseen.
    """
    rows, columns = len(stored), len(window)
    lengths = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            lengths[i][j] = (
                lengths[i + 1][j + 1] + 1
                if _same(stored[i], window[j])
                else max(lengths[i + 1][j], lengths[i][j + 1])
            )
    pairs: list[tuple[int, int]] = []
    i = j = 0
    while i < rows and j < columns:
        if _same(stored[i], window[j]) and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    if len(pairs) < 2 or pairs[0][1] > 1:
        return None
    span = pairs[-1][1] + 1
    if len(pairs) * 3 < span * 2:
        return None
    return _Alignment(_with_rewordings(stored, window, pairs))


def _with_rewordings(
    stored: Sequence[Stored], window: Sequence[Said], pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """`pairs`, and between two of them each unmatched stored message with the unmatched remote one in its slot."""
    complete: list[tuple[int, int]] = []
    ends = [*pairs[1:], (len(stored), pairs[-1][1] + 1)]
    for (ours, theirs), (next_ours, next_theirs) in zip(pairs, ends, strict=True):
        complete.append((ours, theirs))
        free = list(range(theirs + 1, next_theirs))
        for index in range(ours + 1, next_ours):
            if free and _same_slot(stored[index], window[free[0]]):
                complete.append((index, free.pop(0)))
    return complete


def _apply(
    stored: Sequence[Stored], window: Sequence[Said], alignment: _Alignment, *, full: bool, next_position: int
) -> Join:
    known = {theirs: ours for ours, theirs in alignment.pairs}
    matched = set(known.values())
    first = 0 if not full else alignment.pairs[0][0]
    edited = tuple(
        edit for theirs, ours in known.items() if (edit := _edit(stored[ours], window[theirs])) is not None
    )
    return Join(
        appended=_numbered(
            (message for place, message in enumerate(window) if place not in known), first=next_position
        ),
        edited=edited,
        vanished=tuple(
            message.position
            for index, message in enumerate(stored)
            if index >= first and index not in matched and not message.vanished
        ),
        returned=tuple(stored[ours].position for ours in sorted(matched) if stored[ours].vanished),
    )


def _edit(ours: Stored, theirs: Said) -> Edited | None:
    reworded = not _same_words(ours, theirs)
    resources_changed = tuple(ours.resource_ids) != tuple(theirs.resource_ids)
    dated = ours.created_at is None and theirs.created_at is not None
    if not (reworded or resources_changed or dated):
        return None
    lost_something = (reworded and bool(ours.content)) or (resources_changed and bool(ours.resource_ids))
    return Edited(ours.position, theirs, earlier=ours if lost_something else None)


def _same(ours: Stored, theirs: Said) -> bool:
    return _same_slot(ours, theirs) and _same_words(ours, theirs)


def _same_words(ours: Stored, theirs: Said) -> bool:
    """A link in a text may be signed anew at every read: that is no other text."""
    if ours.content == theirs.content:
        return True
    return "://" in ours.content and without_signatures(ours.content) == without_signatures(theirs.content)


def _same_slot(ours: Stored, theirs: Said) -> bool:
    """Whether both can be one message whose words changed: HeyGen fills in times later, but never changes them."""
    return (
        ours.role == theirs.role[:WORD]
        and ours.type == theirs.type[:WORD]
        and (ours.created_at is None or theirs.created_at is None or ours.created_at == theirs.created_at)
    )


def _recognisable(ours: Stored, theirs: Said, stored: Sequence[Stored], window: Sequence[Said]) -> bool:
    """Whether both are one message by their own evidence: the same words, words that grew, or a time of their own.

    Times are whole seconds, so one that several messages share proves nothing.
    """
    if not _same_slot(ours, theirs):
        return False
    if _same_words(ours, theirs) or (ours.content and theirs.content.startswith(ours.content)):
        return True
    time = theirs.created_at
    return (
        time is not None
        and time == ours.created_at
        and sum(message.created_at == time for message in stored) == 1
        and sum(message.created_at == time for message in window) == 1
    )
