"""Coroutines that are begun at once."""

from __future__ import annotations

import asyncio

import pytest

from eventstream.eager import begin


def test_what_never_waits_is_done_at_once():
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    async def main() -> None:
        assert begin(work()) is None
        assert done == [1]

    asyncio.run(main())


def test_what_waits_goes_on_where_it_was():
    heard: list[str] = []

    async def work(first: asyncio.Future[str], second: asyncio.Event) -> None:
        heard.append(await first)
        await asyncio.sleep(0)
        await second.wait()
        heard.append("end")

    async def main() -> None:
        first: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        second = asyncio.Event()
        rest = begin(work(first, second))
        assert rest is not None
        assert heard == []
        first.set_result("middle")
        second.set()
        await rest
        assert heard == ["middle", "end"]

    asyncio.run(main())


def test_it_hears_of_its_cancellation_and_its_errors_come_out():
    ended: list[str] = []

    async def work(error: Exception | None = None) -> None:
        try:
            await asyncio.sleep(0 if error else 60)
            if error:
                raise error
        finally:
            ended.append("tidied")

    async def at_once() -> None:
        raise ValueError("at once")

    async def main() -> None:
        rest = begin(work())
        assert rest is not None
        await asyncio.sleep(0)
        rest.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rest
        failing = begin(work(ValueError("later")))
        assert failing is not None
        with pytest.raises(ValueError, match="later"):
            await failing
        assert ended == ["tidied", "tidied"]
        with pytest.raises(ValueError, match="at once"):
            begin(at_once())

    asyncio.run(main())
