"""Long work in slices."""

import asyncio

from amqpd.management.slices import Slices


def test_a_slice_ends_and_another_one_begins() -> None:
    """A slice is over after a while; whoever waits has a turn before the next one begins."""

    async def work() -> list[str]:
        seen: list[str] = []
        asyncio.get_running_loop().call_soon(seen.append, "other")
        slices = Slices()
        while not slices.is_over():
            pass
        seen.append("work")
        await slices.pause()
        seen.append("over" if slices.is_over() else "again")
        return seen

    assert ["work", "other", "again"] == asyncio.run(work())
