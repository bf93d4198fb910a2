"""Long work in slices."""

import asyncio
from types import SimpleNamespace

import pytest

from amqpd.management import slices
from amqpd.management.slices import RUN, ordered


def test_a_slice_ends_and_another_one_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice is over after a while; whoever waits has a turn before each of them begins."""
    now = [1.0]
    monkeypatch.setattr(slices, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    async def work() -> list[str]:
        seen: list[str] = []
        those = slices.Slices()
        for _ in range(2):
            asyncio.get_running_loop().call_soon(seen.append, "other")
            assert those.is_over()
            await those.pause()
            seen.append("over" if those.is_over() else "work")
            now[0] += slices.SLICE_SECONDS
        return seen

    assert ["other", "work", "other", "work"] == asyncio.run(work())


def test_a_long_list_is_sorted_run_by_run() -> None:
    """Equal items stay in their order, forwards and backwards."""
    items = [(number * 7919 % 31, number) for number in range(2 * RUN + 10)]
    for reverse in (False, True):
        expected = sorted(items, key=lambda item: item[0], reverse=reverse)
        assert expected == asyncio.run(ordered(items, lambda item: item[0], reverse))
