import asyncio
from pathlib import Path

from amqpd.management.site import Site, Wiring
from amqpd.server.watermarks import Watermarks
from helpers.management import InService
from helpers.pair import Commits, Hall


def test_what_is_on_its_way_to_the_disk_is_waited_for(tmp_path: Path) -> None:
    """A request whose change is in a batch that was closed while others had their turn is answered after that batch."""
    hall = Hall(data_dir=str(tmp_path))
    core, flush_set = hall.core, hall.flush_set
    committing = flush_set.committing = Commits(core)
    watermarks = Watermarks(hall.config, hall.alarms, flush_set.begin, core.broker.ration)
    site = Site(
        core.broker, hall.config, Wiring(flush_set.begin, flush_set.undurable, hall.alarms.low, watermarks, InService())
    )
    told: list[str] = []

    async def answer() -> None:
        await site.durable()
        told.append("durable")

    async def run() -> None:
        core.commit()
        await asyncio.wait_for(answer(), 1)
        core.vhost.declare_exchange("direct", "x", True, False, False, b"")
        channel = core.channel()
        core.vhost.bind(core.vhost.exchanges["x"], core.vhost.exchanges["amq.direct"], "", b"")
        assert 0 < flush_set.undurable()
        number = core.write()
        committing.busy = True
        answering = asyncio.create_task(answer())
        await asyncio.sleep(0)
        assert ["durable"] == told
        core.broker.durability.batch_durable(number)
        await asyncio.wait_for(answering, 1)
        assert ["durable"] * 2 == told
        channel.session.close()

    asyncio.run(run())
