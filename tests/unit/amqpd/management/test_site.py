import asyncio

from amqpd.management.site import Site
from helpers.core import Core, declare


def test_what_is_on_its_way_to_the_disk_is_waited_for(core: Core, site: Site) -> None:
    """A request whose change is in a batch that was closed while others had their turn is answered after that batch."""
    told: list[str] = []

    async def answer() -> None:
        await site.durable()
        told.append("durable")

    async def run() -> None:
        core.commit()
        await asyncio.wait_for(answer(), 1)
        assert ["durable"] == told
        declare(core, "q")
        core.channel().publish("", "q", b"", delivery_mode=2)
        number = core.write()
        answering = asyncio.create_task(answer())
        await asyncio.sleep(0)
        assert ["durable"] == told
        core.broker.durability.batch_durable(number)
        await asyncio.wait_for(answering, 1)
        assert ["durable"] * 2 == told

    asyncio.run(run())
