"""The engine's statements in SQL, for PostgreSQL and for SQLite: each does for a whole batch what a row would cost.

Both count time by the database's clock. Parameters are positional, as each statement's function in `claims` gives them.
"""

# ruff: noqa: S608 - put together from this module's own text; every value is a parameter

from __future__ import annotations

from dataclasses import dataclass

# What a claim gives back, in the order of `claims._claim_of`. Columns only: SQLite before 3.41 gets `x IS NULL` wrong here.
_CLAIMED = """
    id, kind, object_id, workspace_id, key_fingerprint, sequence, digest, "group", failures, missing,
    polled_at, changed_at, woken_at, {now}
"""

# Keys that may be asked now, when something of theirs is due first, and what time it is: from each key the index leads
# to the next, whatever lies between.
_KEYS = """
WITH RECURSIVE ranks(rank) AS (VALUES (0), (1), (2)), keys(fingerprint) AS (
    SELECT * FROM (
        SELECT key_fingerprint FROM polling_pollstate
        WHERE lane = %s AND next_poll_at IS NOT NULL ORDER BY key_fingerprint LIMIT 1
    ) AS first
    UNION ALL
    SELECT (
        SELECT s.key_fingerprint FROM polling_pollstate s
        WHERE s.lane = %s AND s.next_poll_at IS NOT NULL AND s.key_fingerprint > keys.fingerprint
        ORDER BY s.key_fingerprint LIMIT 1
    ) FROM keys WHERE keys.fingerprint IS NOT NULL
)
SELECT fingerprint, (
    SELECT min(soonest) FROM (
        SELECT (
            SELECT s.next_poll_at FROM polling_pollstate s
            WHERE s.lane = %s AND s.key_fingerprint = keys.fingerprint AND s.rank = ranks.rank
              AND s.next_poll_at IS NOT NULL
            ORDER BY s.next_poll_at LIMIT 1
        ) AS soonest FROM ranks
    ) AS of_rank
), {now}
FROM keys
WHERE fingerprint IS NOT NULL
  AND fingerprint <> %s
  AND NOT EXISTS (
      SELECT 1 FROM polling_keystate k
      WHERE k.fingerprint = keys.fingerprint AND k.scope = 'all' AND (k.needs_person OR k.closed_until > {now})
  )
"""

# Within a key the ranks take turns, 16 to 4 to 1, so that none starves; between keys each has its turn. A claim is often smaller
# than a round of turns, so each begins somewhere else in it (`phase`, from 0 to 1): else the same ranks would always go first.
_PICK = """
    SELECT id FROM (
        SELECT id, quota, row_number() OVER (PARTITION BY fingerprint ORDER BY turn, rank) AS place
        FROM (
            SELECT due.id, keys.fingerprint, keys.quota, ranks.rank,
                   ranks.stride * (row_number() OVER (
                       PARTITION BY keys.fingerprint, ranks.rank ORDER BY due.next_poll_at
                   ) - ranks.phase) AS turn
            FROM keys CROSS JOIN ranks CROSS JOIN {due}
        ) AS turns
    ) AS places
    WHERE place <= quota ORDER BY place LIMIT %s
"""
_RANKS = "ranks(rank, stride, phase) AS (VALUES (0, 1, {phase}), (1, 4, {phase}), (2, 16, {phase}))"
_POSTGRESQL_RANKS = _RANKS.format(phase="%s::float8")
_SQLITE_RANKS = _RANKS.format(phase="%s")

# One row of an outcome; null keeps digest, reason and message, and a null delay means never.
_OUTCOME = 'id, sequence, delay, "group", rank, digest, polled, changed, failures, missing, reason, message'
_FINISH = """
UPDATE polling_pollstate SET
    next_poll_at = CASE WHEN polling_pollstate.woken THEN {now} ELSE {later} END,
    lease_until = NULL,
    lease_token = NULL,
    woken = {false},
    "group" = outcome."group",
    rank = CASE WHEN polling_pollstate.woken THEN 0 ELSE outcome.rank END,
    digest = coalesce(outcome.digest, polling_pollstate.digest),
    polled_at = CASE WHEN outcome.polled THEN {now} ELSE polling_pollstate.polled_at END,
    changed_at = CASE WHEN outcome.changed THEN {now} ELSE polling_pollstate.changed_at END,
    failures = outcome.failures,
    missing = outcome.missing,
    reason = coalesce(outcome.reason, polling_pollstate.reason),
    message = coalesce(outcome.message, polling_pollstate.message)
FROM {outcome}
WHERE polling_pollstate.id = outcome.id
  AND polling_pollstate.sequence = outcome.sequence
  AND polling_pollstate.lease_token = %s
RETURNING polling_pollstate.id
"""


@dataclass(frozen=True, slots=True)
class Statements:
    """Four statements. `claim` and `finish` hold a place for as many rows as they are asked about.

    open_keys lane, lane, lane, the fingerprint that never is due
    claim     fingerprints and quotas, a phase for each rank, lane, most of one rank, most in all, token, lease seconds
    renew     lease seconds, token, ids
    finish    outcomes, token
    """

    open_keys: str
    claim: str
    renew: str
    finish: str


_POSTGRESQL_NOW = "statement_timestamp()"
_POSTGRESQL_LEASE = f"{_POSTGRESQL_NOW} + %s * interval '1 second'"

POSTGRESQL = Statements(
    open_keys=_KEYS.format(now=_POSTGRESQL_NOW),
    claim=f"""
WITH lease(token, until) AS (SELECT %s::uuid, {_POSTGRESQL_LEASE})
UPDATE polling_pollstate SET
    lease_token = lease.token, lease_until = lease.until, next_poll_at = lease.until,
    sequence = polling_pollstate.sequence + 1, woken = false
FROM lease
WHERE id = ANY(ARRAY(
    WITH keys(fingerprint, quota) AS (SELECT * FROM unnest(%s::text[], %s::bigint[])), {_POSTGRESQL_RANKS}
    {
        _PICK.format(
            due=f'''LATERAL (
                SELECT s.id, s.next_poll_at FROM polling_pollstate s
                WHERE s.lane = %s AND s.key_fingerprint = keys.fingerprint AND s.rank = ranks.rank
                  AND s.next_poll_at <= {_POSTGRESQL_NOW}
                ORDER BY s.next_poll_at LIMIT least(keys.quota, %s) FOR UPDATE SKIP LOCKED
            ) AS due'''
        )
    }
))
RETURNING {_CLAIMED.format(now=_POSTGRESQL_NOW)}
""",
    renew=f"""
UPDATE polling_pollstate SET lease_until = lease.until, next_poll_at = lease.until
FROM (SELECT {_POSTGRESQL_LEASE} AS until) AS lease
WHERE lease_token = %s AND id = ANY(%s)
""",
    finish=_FINISH.format(
        now=_POSTGRESQL_NOW,
        later=f"{_POSTGRESQL_NOW} + outcome.delay * interval '1 second'",
        false="false",
        outcome=(
            "unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::text[], %s::int[], %s::text[], %s::bool[],"
            f" %s::bool[], %s::int[], %s::int[], %s::text[], %s::text[]) AS outcome({_OUTCOME})"
        ),
    ),
)

_SQLITE_NOW = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"
_SQLITE_LEASE = "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', %s || ' seconds')"

SQLITE = Statements(
    open_keys=_KEYS.format(now=_SQLITE_NOW),
    claim=f"""
WITH keys(fingerprint, quota) AS (VALUES {{keys}}), {_SQLITE_RANKS}
UPDATE polling_pollstate SET
    lease_token = %s, lease_until = {_SQLITE_LEASE}, next_poll_at = {_SQLITE_LEASE},
    sequence = sequence + 1, woken = 0
WHERE id IN ({
        _PICK.format(
            due=f'''polling_pollstate AS due WHERE due.id IN (
                SELECT s.id FROM polling_pollstate s
                WHERE s.lane = %s AND s.key_fingerprint = keys.fingerprint AND s.rank = ranks.rank
                  AND s.next_poll_at <= {_SQLITE_NOW}
                ORDER BY s.next_poll_at LIMIT %s
            )'''
        )
    })
RETURNING {_CLAIMED.format(now=_SQLITE_NOW)}
""",
    renew=f"""
UPDATE polling_pollstate SET lease_until = {_SQLITE_LEASE}, next_poll_at = {_SQLITE_LEASE}
WHERE lease_token = %s AND id IN (SELECT value FROM json_each(%s))
""",
    finish=f"WITH outcome({_OUTCOME}) AS (VALUES {{outcomes}})"
    + _FINISH.format(
        now=_SQLITE_NOW,
        later="strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', outcome.delay || ' seconds')",
        false="0",
        outcome="outcome",
    ),
)
