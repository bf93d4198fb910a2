import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import pytest

from amqpd.server.watchdog import COMPILED, Watchdog


def dawdle(seconds: float) -> None:
    """Keep the loop from turning."""
    time.sleep(seconds)


def compute() -> None:
    """Keep all threads from running for some tenths of a second, as compiled code does."""
    sum(range(10_000_000))


async def watched(run: Callable[[], Awaitable[None]]) -> None:
    """Do it under a watchdog."""
    watchdog = Watchdog(asyncio.get_running_loop())
    watchdog.start()
    await run()
    watchdog.stop()
    await asyncio.to_thread(watchdog._thread.join, 5)


def test_a_stall_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever keeps the loop busy is named; a loop that turns is not."""

    async def run() -> None:
        dawdle(0.6)
        await asyncio.sleep(0)

    with caplog.at_level(logging.WARNING):
        asyncio.run(watched(run))
    fields = caplog.records[0].__dict__["fields"]
    assert caplog.records[0].getMessage() == "the loop stalled"
    assert "dawdle" in fields["stack"]


def test_no_stall_is_missed(caplog: pytest.LogCaptureFixture) -> None:
    """A stall of a little more than a tenth of a second is told whenever it begins."""

    async def run() -> None:
        for number in range(5):
            await asyncio.sleep(0.1 + number / 200)
            dawdle(0.18)
        await asyncio.sleep(0.1)

    with caplog.at_level(logging.WARNING):
        asyncio.run(watched(run))
    assert 5 <= len(caplog.records)


def test_a_stall_that_stops_all_threads_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """What computes without letting the watchdog run is told afterwards, although the loop waits by then."""

    async def run() -> None:
        for _ in range(3):
            await asyncio.sleep(0.05)
            compute()
            await asyncio.sleep(0.2)

    with caplog.at_level(logging.WARNING):
        asyncio.run(watched(run))
    assert 3 <= len(caplog.records)
    assert COMPILED in {record.__dict__["fields"]["stack"] for record in caplog.records}


def test_a_process_that_was_stopped_did_not_stall(caplog: pytest.LogCaptureFixture) -> None:
    """However long nothing ran: it is a stall only if the loop's thread computed meanwhile."""
    loop = asyncio.new_event_loop()
    watchdog = Watchdog(loop)
    loop.close()
    with caplog.at_level(logging.WARNING):
        watchdog._looked -= 5
        watchdog._look()
        assert [] == caplog.records
        watchdog._looked -= 5
        watchdog._computed -= 1
        watchdog._look()
    assert 1 == len(caplog.records)


def test_a_loop_that_waits_is_not_woken(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked nothing until it has something to do."""

    async def run() -> int:
        asked = 0

        def ask(callback: Callable[[], object]) -> None:
            nonlocal asked
            asked += 1
            callback()

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "call_soon_threadsafe", ask)
        watchdog = Watchdog(loop)
        watchdog.start()
        await asyncio.sleep(0.5)
        waiting, asked = asked, 0
        dawdle(0.5)
        watchdog.stop()
        assert asked > 0
        return waiting

    assert 1 >= asyncio.run(run())


def test_it_ends_with_the_loop() -> None:
    """A closed loop is not asked any more."""
    loop = asyncio.new_event_loop()
    watchdog = Watchdog(loop)
    loop.close()
    watchdog.start()
    watchdog._thread.join(5)
    assert not watchdog._thread.is_alive()
