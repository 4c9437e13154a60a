"""On SQLite what a person waits for is written before the next set of the mirror."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.db.backends.signals import connection_created

from config import process
from polling import heartbeats, turns
from polling.models import Heartbeat
from tests.processes import wait_until


class Clock:
    """Stands still but for who sleeps; `meanwhile` is what happens then, of the seconds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self.meanwhile: Callable[[float], object] = lambda seconds: None

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)
        self.meanwhile(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(turns, "time", clock)
    return clock


@pytest.fixture
def people(transactional_db: None) -> Iterator[None]:
    """This process is one that people wait for."""
    connection.close()
    turns.people_first()
    try:
        yield
    finally:
        connection_created.disconnect(dispatch_uid="polling.turns")
        connection.execute_wrappers.clear()
        connection.close()


def announced(work: Callable[[], object]) -> bool:
    """Whether `work` told the mirror that somebody waits for the writer."""
    file = turns._file(connection)
    file.unlink(missing_ok=True)
    work()
    return file.exists()


@pytest.mark.sqlite
def test_who_is_about_to_write_says_so(people: None) -> None:
    assert announced(lambda: Heartbeat.objects.filter(name="a").update(name="b"))
    assert announced(lambda: heartbeats.write("a"))
    with transaction.atomic():
        # The writer is ours already.
        assert not announced(lambda: heartbeats.write("c"))
    assert not announced(lambda: list(Heartbeat.objects.all()))


@pytest.mark.sqlite
def test_the_mirror_leaves_the_writer_alone_as_long_as_people_ask(people: None, clock: Clock) -> None:
    def write() -> None:
        Heartbeat.objects.filter(name="a").update(name="b")

    its = turns.Turns()
    its.pause()
    assert clock.slept == [turns.PAUSE_SECONDS]

    write()
    answers = [write]
    clock.slept, clock.meanwhile = [], lambda seconds: answers.pop()() if answers else None
    its.pause()
    assert clock.slept == [turns.PAUSE_SECONDS, turns.LEFT_ALONE_SECONDS]

    clock.slept = []
    its.pause()
    assert clock.slept == [turns.PAUSE_SECONDS]


@pytest.mark.sqlite
def test_people_who_write_all_the_time_do_not_stop_the_mirror(people: None, clock: Clock) -> None:
    clock.meanwhile = lambda seconds: Heartbeat.objects.filter(name="a").update(name="b")
    began = clock.now

    turns.Turns().pause()

    assert 0.5 <= clock.now - began < 0.6


@pytest.mark.sqlite
def test_a_person_writes_between_two_sets_of_the_mirror(people: None, clock: Clock) -> None:
    def press() -> None:
        heartbeats.write("press")
        connection.close()

    person = threading.Thread(target=press)
    clock.meanwhile = lambda seconds: person.join(20) if seconds == turns.LEFT_ALONE_SECONDS else None
    mirror = turns.Turns()
    file = turns._file(connection)
    file.unlink(missing_ok=True)

    with transaction.atomic():
        heartbeats.write("mirror")
        file.unlink()
        person.start()
        wait_until(file.exists, what="the person asks")
    mirror.pause()

    assert set(Heartbeat.objects.values_list("name", flat=True)) == {"mirror", "press"}


@pytest.mark.postgresql
def test_on_postgresql_nobody_waits_for_the_writer(people: None, clock: Clock) -> None:
    heartbeats.write("a")
    turns.Turns().pause()
    assert clock.slept == []
    assert connection.execute_wrappers == []


def test_it_is_for_the_processes_that_people_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []
    monkeypatch.setattr("config.web.serve", lambda listening: began.append("web"))
    monkeypatch.setattr(process, "_celery_worker", lambda queues, threads: began.append(queues))
    monkeypatch.setattr(turns, "people_first", lambda: began.append("first"))

    process.web()
    process.commands()
    process.worker()

    assert began == ["first", "web", "first", "commands", "polls,files,words"]
