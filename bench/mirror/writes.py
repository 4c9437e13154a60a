"""What writing an answer costs: in sets behind the fence, against `save()` and forty times `get_or_create`."""

from __future__ import annotations

import json
import time
from uuid import UUID, uuid4

import heygen
from bench.clocks import median, spread
from bench.figures import Figure
from bench.mirror import rows
from bench.part import Run
from bench.peers import idiomatic_write
from bench.remote import remote
from bench.responder import body
from polling import claims, turns
from polling.digests import digest_of
from polling.kinds import Changed, Unchanged
from polling.models import PollState
from polling.writing import Read, Writer
from sessions_app.mirror import sessions as mirror
from sessions_app.mirror.session_merge import SessionReading
from sessions_app.models import VideoSession

SET = 100


def measure(run: Run) -> list[Figure]:
    # What it waits on purpose, so that others get their turn, is no work.
    turns.PAUSE_SECONDS = 0.0
    ours_changed: list[float] = []
    ours_unchanged: list[float] = []
    peer_changed: list[float] = []
    peer_unchanged: list[float] = []
    with remote(latency=0.0) as other:
        workspace = rows.workspace(other)
        mine = rows.sessions(workspace, SET)
        with rows.engine(threads=8, **rows.NO_LIMIT), rows.always_due():
            rows.first_poll()
            theirs = VideoSession.objects.bulk_create(
                [
                    VideoSession(
                        workspace=workspace,
                        remote_id=f"peer_{n}",
                        active_at=s.active_at,
                        status_since=s.active_at,
                    )
                    for n, s in enumerate(mine[: 10 if run.quick else 30])
                ]
            )
            for session in theirs:
                idiomatic_write(session.pk, body(session.remote_id or "", 0))
            for number in run.rounds:
                run.mark()
                ours_changed.append(_written(workspace.key_fingerprint, mine, number + 1, changed=True))
                peer_changed.append(_idiomatic(theirs, number + 1))
                ours_unchanged.append(_written(workspace.key_fingerprint, mine, number + 1, changed=False))
                peer_unchanged.append(_idiomatic(theirs, number + 1))
    return [
        _figure("write of a changed session (2 new messages), µs", ours_changed, peer_changed, 20),
        _figure("write of an unchanged session, µs", ours_unchanged, peer_unchanged, 100),
    ]


def _written(fingerprint: str, sessions: list[VideoSession], changes: int, *, changed: bool) -> float:
    """Microseconds for each of a wave of a hundred readings. Reading and comparing them is no part of it."""
    PollState.objects.update(next_poll_at=None)
    PollState.objects.filter(kind="session", object_id__in=[session.pk for session in sessions]).update(
        next_poll_at="2026-01-01T00:00:00Z"
    )
    token = uuid4()
    claimed = claims.claim("polls", {fingerprint: SET}, token=token, limit=SET)
    assert len(claimed) == SET
    jobs = mirror.load(claimed)
    remote_ids: dict[UUID, str] = {session.pk: session.remote_id or "" for session in sessions}
    reads = []
    for claim in claimed:
        reading: Changed | Unchanged = Unchanged(group="working")
        if changed:
            remote_session = heygen.RemoteSession.from_json(
                json.loads(body(remote_ids[claim.object_id], changes))["data"]
            )
            reading = Changed(
                digest=digest_of(remote_session.raw) * 2,
                group="working",
                value=SessionReading(remote_session, ()),
            )
        reads.append(Read(claim, jobs[claim.object_id], reading))
    begun = time.perf_counter()
    Writer(token).write(reads)
    return 1e6 * (time.perf_counter() - begun) / SET


def _idiomatic(sessions: list[VideoSession], changes: int) -> float:
    answers = [(session.pk, body(session.remote_id or "", changes)) for session in sessions]
    begun = time.perf_counter()
    for pk, answer in answers:
        idiomatic_write(pk, answer)
    return 1e6 * (time.perf_counter() - begun) / len(sessions)


def _figure(name: str, ours: list[float], peer: list[float], least: int) -> Figure:
    factor = median(its / mine for mine, its in zip(ours, peer, strict=True))
    return Figure(
        name=name,
        ours=spread(ours, "{:.0f}"),
        peer=spread(peer, "{:.0f}"),
        ratio=f"1/{factor:.0f}",
        goal=f"<= 1/{least}",
        reached=factor >= least,
        note="Peer: `save()` and 40 x `get_or_create`. Ours also keeps search words, events, the raw window, the schedule."
        if "unchanged" not in name
        else "",
        raw={"ours": ours, "peer": peer},
    )
