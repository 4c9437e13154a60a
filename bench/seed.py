"""A large, seeded team history, written past the ORM: a million messages in seconds rather than in an hour.

Words follow a falling frequency, as in a language: the first is in nearly every message, the last in a handful. Three
workspaces belong to the person who looks; a fourth, the newest and busiest, does not. One quiet workspace has only
old sessions, which is the hard case of a search for a common word.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from sessions_app import tallies
from sessions_app.models import Gap, Message, Resource, VideoSession
from tests.factories import MembershipFactory, UserFactory, WorkspaceFactory
from workspaces_app.models import Role, User, Workspace

LARGE, SMALL = 100_000, 1_000
MESSAGES_EACH = 10
LONG_THREAD = 2_000
NEWEST = datetime(2026, 11, 1, tzinfo=UTC)
# How the sessions spread over the workspaces, oldest first: (share of all, which workspace).
STRETCHES = ((0.10, 2), (0.50, 0), (0.20, 1), (0.15, 0), (0.05, 3))
COMMON, FREQUENT, RARE = "the", "storyboard", "zyzzyva"
GROUPS = (("done", "completed"),) * 88 + (("failed", "failed"),) * 8 + (("working", "thinking"),) * 4
WAITING = 60


@dataclass(frozen=True, slots=True)
class Seeded:
    """Who looks, at what. `long` is the session with the long thread; `quiet` the workspace with old sessions only."""

    person: User
    workspaces: Sequence[Workspace]
    long: UUID
    sessions: int

    @property
    def quiet(self) -> Workspace:
        return self.workspaces[2]


def seed(sessions: int, *, random_seed: int = 7) -> Seeded:
    """Fills the empty database of this process."""
    dice = random.Random(random_seed)
    person = UserFactory(name="Ada Approver", email="ada@example.com")
    workspaces = [WorkspaceFactory(name=f"Studio {number}", slug=f"studio-{number}") for number in range(4)]
    for workspace in workspaces[:3]:
        MembershipFactory(user=person, workspace=workspace, role=Role.APPROVER)
    rows = list(_sessions(sessions, workspaces, person, dice))
    long = rows[int(sessions * 0.95) - 1]
    sentences = _sentences(dice)
    with _bulk():
        _insert(VideoSession, rows)
        _insert(Message, _messages(rows, long["id"], sentences))
        _index_words()
        _insert(Resource, _resources(rows, dice))
        _insert(Gap, [{"session": long["id"], "after_position": 1900, "seen_at": NEWEST, "version": 1}])
    return Seeded(person, workspaces, long["id"], sessions)


# --- rows -----------------------------------------------------------------------------------------------------------


def _id(moment: datetime, number: int) -> UUID:
    """A UUIDv7 of that moment, the same at every run."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | number)


def _sessions(
    count: int, workspaces: Sequence[Workspace], person: User, dice: random.Random
) -> Iterator[dict[str, Any]]:
    stretches = [
        workspace for share, number in STRETCHES for workspace in [workspaces[number]] * round(share * count)
    ]
    waits = set(range(count * 9 // 10, count * 9 // 10 + WAITING))
    for number in range(count):
        made = NEWEST - timedelta(minutes=10 * (count - number))
        group, status = ("needs_you", "reviewing") if number in waits else GROUPS[dice.randrange(100)]
        yield {
            "id": _id(made, number),
            "workspace": stretches[min(number, len(stretches) - 1)].pk,
            "remote_id": f"sess_{number}",
            "dialect": "current",
            "mode": "chat",
            "prompt": f"A film about order {number} of the bakery, for the shop window",
            "settings": "{}",
            "title": f"Bakery film {number}",
            "status": status,
            "group": group,
            "progress": 100 if group == "done" else 45,
            "video_id": "",
            "remote_created_at": made,
            "owner": person.pk if number % 3 == 0 else None,
            "archived": number % 50 == 0,
            "version": 1,
            "created_at": made,
            "active_at": made,
            "status_since": made,
            "gone_at": None,
            "message_count": MESSAGES_EACH,
        }


def _sentences(dice: random.Random) -> list[str]:
    """A few thousand texts of 20 words. The rarest word is in none of them: it is put where it belongs."""
    vocabulary = [COMMON, "film", "we", FREQUENT, *(f"word{number}" for number in range(20_000))]
    weights = [1 / (rank + 1) for rank in range(len(vocabulary))]
    return [" ".join(dice.choices(vocabulary, weights, k=20)) for _ in range(4_000)]


def _length(session_id: UUID, long: UUID) -> int:
    return LONG_THREAD if session_id == long else MESSAGES_EACH


def _texts(row: dict[str, Any], length: int, sentences: Sequence[str], number: int) -> list[str]:
    """Of one session. One session in a thousand speaks of the rare word, once."""
    found = [sentences[(number * 31 + position * 17) % len(sentences)] for position in range(length)]
    if number % 1000 == 500:
        found[3] = f"{RARE} {found[3]}"
    return found


def _messages(
    rows: Sequence[dict[str, Any]], long: UUID, sentences: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows):
        for position, text in enumerate(_texts(row, _length(row["id"], long), sentences, number)):
            moment = row["created_at"] + timedelta(seconds=20 * position)
            yield {
                "session": row["id"],
                "position": position,
                "role": "user" if position % 4 == 0 else "model",
                "type": "text",
                "content": text,
                "remote_created_at": moment,
                "resource_ids": json.dumps([f"res_{number}"]) if position == 5 else "[]",
                "first_seen_at": moment,
                "command": None,
                "vanished": False,
                "version": 1,
            }


def _resources(rows: Sequence[dict[str, Any]], dice: random.Random) -> Iterator[dict[str, Any]]:
    kinds = ("image",) * 7 + ("draft", "video", "voice")
    for number, row in enumerate(rows):
        yield {
            "id": _id(row["created_at"], number),
            "workspace": row["workspace"],
            "session": row["id"],
            "resource_id": f"res_{number}",
            "type": kinds[dice.randrange(10)],
            "source": "generated",
            "url": "",
            "thumbnail_url": "",
            "preview_url": "",
            "metadata": "{}",
            "remote_created_at": row["created_at"],
            "message_position": 5,
            "place": 0,
            "read_at": row["created_at"],
            "missing": False,
            "first_seen_at": row["created_at"],
            "version": 1,
        }


def _index_words() -> None:
    """What search looks at, in the order of time; the texts are plain words already. The database does it by itself."""
    if connection.vendor == "postgresql":
        scope = "'w' || replace(s.workspace_id::text, '-', '') || ' '"
    else:
        scope = "'w' || s.workspace_id || ' '"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO sessions_app_searchtext (session_id, position, text)
            SELECT s.id, -1, {scope} || lower(s.title || ' ' || replace(s.prompt, ',', ''))
            FROM sessions_app_videosession s
            UNION ALL
            SELECT s.id, m.position, {scope} || m.content
            FROM sessions_app_message m JOIN sessions_app_videosession s ON s.id = m.session_id
            ORDER BY 1, 2
            """
        )


# --- writing --------------------------------------------------------------------------------------------------------


class _bulk:
    """Text indexes are built once at the end rather than row by row; statistics are fresh afterwards."""

    def __enter__(self) -> None:
        tallies.step_aside(plan=["rows past the ORM"])
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET maintenance_work_mem = '512MB'")
                cursor.execute(
                    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'sessions_app_searchtext'"
                    " AND indexname LIKE '%%searchtext_words%%'"
                )
                found = cursor.fetchall()
                self._again = [definition for _, definition in found]
                for name, _ in found:
                    cursor.execute(f"DROP INDEX {name}")
            else:
                # Nobody else has this database open, and nobody misses it after a power cut.
                for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
                    cursor.execute(f"PRAGMA {pragma}")
                cursor.execute(
                    "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'sessions_app_searchtext'"
                )
                found = cursor.fetchall()
                self._again = [sql for _, sql in found]
                for name, _ in found:
                    cursor.execute(f"DROP TRIGGER {name}")
                self._again.append(
                    "INSERT INTO sessions_app_searchindex(sessions_app_searchindex) VALUES ('rebuild')"
                )

    def __exit__(self, *_: object) -> None:
        with connection.cursor() as cursor:
            for statement in self._again:
                cursor.execute(statement)
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM ANALYZE")
            else:
                cursor.execute("ANALYZE")
                cursor.execute("PRAGMA journal_mode = WAL")
                cursor.execute("PRAGMA synchronous = NORMAL")
        tallies.install()


def _insert(model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """COPY on PostgreSQL, one prepared INSERT on SQLite. Keys are field names, JSON is text already."""
    iterator = iter(rows)
    first = next(iterator)
    fields = [model._meta.get_field(name) for name in first]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = (tuple(row.values()) for row in _chained(first, iterator))
    table = model._meta.db_table
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" ({columns}) FROM STDIN') as copy:
            for row in values:
                copy.write_row(row)
        return
    places = ", ".join(["?"] * len(fields))
    raw = connection.connection
    raw.execute("BEGIN")
    raw.executemany(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', (_plain(row) for row in values))
    raw.execute("COMMIT")


def _chained(first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from rest


def _plain(row: Sequence[Any]) -> list[Any]:
    """As SQLite stores it."""
    return [
        value.hex
        if isinstance(value, UUID)
        else value.strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, datetime)
        else value
        for value in row
    ]
