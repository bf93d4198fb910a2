"""Long work in slices."""

import asyncio

from amqpd.management.slices import RUN, Slices, ordered


def test_a_slice_ends_and_another_one_begins() -> None:
    """A slice is over after a while; whoever waits has a turn before each of them begins."""

    async def work() -> list[str]:
        seen: list[str] = []
        slices = Slices()
        for _ in range(2):
            asyncio.get_running_loop().call_soon(seen.append, "other")
            assert slices.is_over()
            await slices.pause()
            seen.append("over" if slices.is_over() else "work")
            while not slices.is_over():
                pass
        return seen

    assert ["other", "work", "other", "work"] == asyncio.run(work())


def test_a_long_list_is_sorted_run_by_run() -> None:
    """Equal items stay in their order, forwards and backwards."""
    items = [(number * 7919 % 31, number) for number in range(2 * RUN + 10)]
    for reverse in (False, True):
        expected = sorted(items, key=lambda item: item[0], reverse=reverse)
        assert expected == asyncio.run(ordered(items, lambda item: item[0], reverse))
