"""Search in the shared history: all words, by prefix, without case or accents, newest first.

Two indexes say the same: PostgreSQL's GIN over `to_tsvector('simple', text)`, SQLite's FTS5. The workspace is a word of the
indexed text, so a search touches only what the person may see. Results are ordered by recency and never ranked: a ranked
list has to read every hit of a common word first.

GIN gives all hits of a word or none, and FTS5 gathers those of a prefix before it gives the first: either takes half a
second for a common word among a million messages. So a search has two steps, each bounded:

    walk    the newest rows of each workspace, compared as they are; a common word has its hits among them; where some
            hits were found and a walk four times as far promises the rest, it goes on
    look up what is so rare that the walk did not find enough of it; there are few hits then, and all are read
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction

from sessions_app.search_words import words_of, workspace_word

# More words than anybody types on purpose; the rest is ignored.
WORDS = 12
# Hits that are read before sessions are told apart; a person narrows a search rather than paging so far.
HITS = 500
# Rows that the first and the second walk compare, shared by the workspaces, and the least for each: some two
# microseconds a row.
WALKS = (12_000, 48_000)
WALK_LEAST = 1_000

# More workspaces than this are not walked one by one.
MOST_WALKED = 100

# The inner rows keep their order; to sort them again SQLite would read all of them before it gives the first. BETWEEN, and
# ordered by what is the same for all: of an equal scope PostgreSQL would know that its order is the primary key's, and walk
# that backwards through everybody's rows, half a second past a million of another workspace.
_WALK = """
SELECT * FROM (
    SELECT %s AS scope, id, session_id, position FROM (
        SELECT id, session_id, position, text FROM sessions_app_searchtext
        WHERE substr(text, 1, 33) BETWEEN %s AND %s ORDER BY substr(text, 1, 33) DESC, id DESC LIMIT %s
    ) AS newest
    WHERE {words} LIMIT %s
) AS walked
"""
# `id + 0`: the planner must not walk the primary key, parsing the text of every row on the way.
_LOOK_UP_POSTGRESQL = """
SELECT id, session_id, position FROM sessions_app_searchtext
WHERE to_tsvector('simple', text) @@ to_tsquery('simple', %s) ORDER BY id + 0 DESC LIMIT %s
"""
_LOOK_UP_SQLITE = """
SELECT t.id, t.session_id, t.position FROM sessions_app_searchindex i JOIN sessions_app_searchtext t ON t.id = i.rowid
WHERE i.text MATCH %s ORDER BY i.rowid DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where the words were found; `position` is a message's, or -1 for the session's title and prompt."""

    session_id: UUID
    position: int


def find(query: str, workspace_ids: Iterable[UUID], *, limit: int = HITS) -> list[Hit]:
    """The newest places that hold all words of `query`, within these workspaces. No words, no hits."""
    words = words_of(query)[:WORDS]
    scopes = [workspace_word(workspace_id) for workspace_id in workspace_ids]
    if not words or not scopes:
        return []
    found = _walked(words, scopes, limit) if len(scopes) <= MOST_WALKED else {}
    enough = {scope for scope, rows in found.items() if len(rows) >= limit}
    rows = [row for scope in enough for row in found[scope]]
    if rare := [scope for scope in scopes if scope not in enough]:
        rows += _looked_up(words, rare, limit)
    rows.sort(key=lambda row: row[0], reverse=True)
    return [Hit(_uuid(session_id), position) for _, session_id, position in rows[:limit]]


# Its id, session and position.
Row = tuple[int, UUID | str, int]


def _walked(words: Sequence[str], scopes: Sequence[str], limit: int) -> dict[str, list[Row]]:
    """By workspace: the newest hits, newest first; fewer than `limit` where the walk ended too early to know."""
    # Words stand behind the workspace's, each after a blank; they are letters and digits, nothing to escape.
    patterns = [f"% {word}%" for word in words]
    one = _WALK.format(words=" AND ".join(["text LIKE %s"] * len(patterns)))
    found: dict[str, list[Row]] = {}
    promising = list(scopes)
    for rows_to_walk, next_walk in zip(WALKS, [*WALKS[1:], 0], strict=True):
        walk = max(WALK_LEAST, rows_to_walk // len(scopes))
        found |= {scope: [] for scope in promising}
        parameters: list[str | int] = []
        for scope in promising:
            parameters += [scope, scope, scope, walk, *patterns, limit]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join([one] * len(promising)), parameters)
            for scope, pk, session_id, position in cursor.fetchall():
                found[scope].append((pk, session_id, position))
        # As dense as up to here, the rest would be found within the next walk.
        promising = [
            scope
            for scope in promising
            if limit * rows_to_walk <= len(found[scope]) * next_walk < limit * next_walk
        ]
        if not promising:
            break
    return found


def _looked_up(words: Sequence[str], scopes: Sequence[str], limit: int) -> list[Row]:
    """The newest hits of these workspaces together."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            # A bitmap that doesn't fit forgets which rows it meant, and parses the text of all on the page again.
            cursor.execute("SET LOCAL work_mem = '64MB'")
            cursor.execute(_LOOK_UP_POSTGRESQL, [_tsquery(words, scopes), limit])
            return list(cursor.fetchall())
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_UP_SQLITE, [_fts5(words, scopes), limit])
        return list(cursor.fetchall())


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _tsquery(words: Sequence[str], scopes: Sequence[str]) -> str:
    """`words_of` leaves letters and digits only, so nothing has to be quoted."""
    return " & ".join([f"({' | '.join(scopes)})", *(f"{word}:*" for word in words)])


def _fts5(words: Sequence[str], scopes: Sequence[str]) -> str:
    either = " OR ".join(f'"{scope}"' for scope in scopes)
    return " AND ".join([f"({either})", *(f'"{word}"*' for word in words)])


def sessions_of(hits: Iterable[Hit]) -> list[UUID]:
    """The sessions of the hits, each once, in their order."""
    return list(dict.fromkeys(hit.session_id for hit in hits))
