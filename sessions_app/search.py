"""Search in the shared history: all words, by prefix, without case or accents, newest first.

Two indexes say the same: PostgreSQL's GIN over `to_tsvector('simple', text)`, SQLite's FTS5. The workspace is a word of the
indexed text, so a search touches only what the person may see. Results are ordered by recency and never ranked: a ranked
list has to read every hit of a common word first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from sessions_app.search_words import words_of, workspace_word

# More words than anybody types on purpose; the rest is ignored.
WORDS = 12
# Hits that are read before sessions are told apart; a person narrows a search rather than paging so far.
HITS = 500


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
    if connection.vendor == "postgresql":
        sql = (
            "SELECT session_id, position FROM sessions_app_searchtext"
            " WHERE to_tsvector('simple', text) @@ to_tsquery('simple', %s) ORDER BY id DESC LIMIT %s"
        )
        terms = _tsquery(words, scopes)
    else:
        sql = (
            "SELECT t.session_id, t.position FROM sessions_app_searchindex i"
            " JOIN sessions_app_searchtext t ON t.id = i.rowid"
            " WHERE i.text MATCH %s ORDER BY i.rowid DESC LIMIT %s"
        )
        terms = _fts5(words, scopes)
    with connection.cursor() as cursor:
        cursor.execute(sql, [terms, limit])
        return [Hit(_uuid(session_id), position) for session_id, position in cursor.fetchall()]


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
