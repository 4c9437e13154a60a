"""What HeyGen's byte counter says about pushed texts whose outcome nobody knows.

Each accepted text comes with `buffered_bytes`, the total so far. So between two known totals the bytes of those that
were taken must add up, in UTF-8. A text is decided when every way to make the sum agrees on it.

Source: POST /v3/avatar-realtime/{stream_id}/text, heygen-api.md sections 3.3 and 9.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

# More open texts than this between two totals are not worth their powers of two: a person decides.
MOST_OPEN = 12


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that was sent, in the order of sending.

    `size` in bytes. `taken` is None while its outcome is unknown. `total` is HeyGen's counter after it, None when it was
    not told. `final`: it closes the stream to further text.
    """

    size: int
    taken: bool | None
    total: int | None = None
    final: bool = False


def verdicts(pieces: Sequence[Piece], *, opening: int) -> dict[int, bool]:
    """Which open pieces were taken, by their place in `pieces`; those that cannot be decided are absent.

    `opening` is the size of the text that the stream began with: HeyGen does not say whether it counts.
    """
    decided: dict[int, bool] = {}
    bases = {0, opening}
    open_places: list[int] = []
    between = 0
    for place, piece in enumerate(pieces):
        if piece.taken is None:
            open_places.append(place)
        if not piece.taken:
            continue
        # Whatever is taken after a final text proves that the final one was not.
        for earlier in [earlier for earlier in open_places if pieces[earlier].final]:
            decided[earlier] = False
            open_places.remove(earlier)
        between += piece.size
        if piece.total is None:
            continue
        sums = {piece.total - base - between for base in bases}
        decided |= _explained(open_places, [pieces[each].size for each in open_places], sums)
        bases, open_places, between = {piece.total}, [], 0
    return decided


def _explained(places: Sequence[int], sizes: Sequence[int], sums: set[int]) -> dict[int, bool]:
    """What all subsets of `sizes` with one of these sums have in common; {} when none has, or the counter shrank."""
    if not places or len(places) > MOST_OPEN:
        return {}
    ways = [
        frozenset(chosen)
        for count in range(len(places) + 1)
        for chosen in combinations(range(len(places)), count)
        if sum(sizes[each] for each in chosen) in sums
    ]
    if not ways:
        return {}
    always, ever = frozenset.intersection(*ways), frozenset.union(*ways)
    return {
        place: number in always
        for number, place in enumerate(places)
        if number in always or number not in ever
    }
