"""What a scrape finds."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from amqpd.broker.expression import Expression
from amqpd.management.prometheus import scrape
from amqpd.management.site import Site
from helpers.core import Core, declare

Samples = dict[str, float]


def samples(pieces: AsyncIterator[str]) -> Samples:
    """Every sample by its name and the values of its labels."""

    async def gather() -> str:
        return "".join([piece async for piece in pieces])

    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(asyncio.run(gather()))
        for sample in family.samples
    }


def test_lengths_are_summed(core: Core, site: Site) -> None:
    """One sample for all queues."""
    for name, count in (("a", 1), ("b", 2)):
        declare(core, name)
        core.channel().publish_many(name, [b"x"] * count)
    found = samples(scrape.aggregated(site))
    assert (3, 2, 3) == (
        found["rabbitmq_queue_messages_ready"], found["rabbitmq_queues"], found["rabbitmq_queue_messages_bytes"],
    )  # fmt: skip


def test_the_oldest_message_is_that_of_all_queues(core: Core, site: Site) -> None:
    """Ages are not added up."""
    for name in ("a", "b"):
        declare(core, name)
        core.channel().publish("", name)
        core.broker.clock.now += 2500
    assert 5 == samples(scrape.aggregated(site))["rabbitmq_queue_oldest_message_age_seconds"]


def test_every_queue_has_samples_of_its_own(core: Core, site: Site) -> None:
    """With virtual host and name."""
    declare(core, "a")
    declare(core, "b")
    core.channel().publish("", "b", b"1234")
    found = samples(scrape.per_object(site))
    assert (0, 1) == (found["rabbitmq_queue_messages_ready / a"], found["rabbitmq_queue_messages_ready / b"])
    assert 4 == found["rabbitmq_queue_messages_bytes / b"]
    assert "rabbitmq_queue_messages_ready" not in found


def test_no_counter_goes_down_when_its_objects_are_gone(core: Core, site: Site) -> None:
    """Deleting a queue and closing a channel leaves the sums as they are."""
    queue = declare(core, "a")
    channel = core.channel()
    channel.session.select_confirms()
    channel.publish_many("a", [b"x"] * 5)
    channel.consume(queue, prefetch=2)
    core.commit()
    channel.session.ack(1, False)
    core.finish()
    channel.session.get(queue, False)
    before = samples(scrape.aggregated(site))
    channel.session.close()
    core.vhost.delete_queue(queue)
    after = samples(scrape.aggregated(site))
    counters = [name for name in before if "_total" in name]
    assert [] == [name for name in counters if after[name] < before[name]]
    assert 5 == before["rabbitmq_global_messages_received_confirm_total amqp091"]
    assert 3 == before["rabbitmq_global_messages_delivered_consume_manual_ack_total amqp091 rabbit_classic_queue"]
    assert 1 == before["rabbitmq_global_messages_delivered_get_manual_ack_total amqp091 rabbit_classic_queue"]
    assert 1 == before["rabbitmq_global_messages_acknowledged_total amqp091 rabbit_classic_queue"]


def test_only_what_was_asked_for_is_detailed(core: Core, site: Site) -> None:
    """Families, virtual hosts and a pattern of names."""
    for name in ("other", "task-1", "task-2"):
        declare(core, name)
    core.broker.add_vhost("second")
    found = samples(scrape.detailed(site, ["queue_consumer_count"], ["/", "unknown"], Expression("^task")))
    assert [
        "rabbitmq_detailed_queue_consumers / task-1",
        "rabbitmq_detailed_queue_consumers / task-2",
    ] == [name for name in found if "detailed_" in name and "_info" not in name]
    assert {} == {
        name: value
        for name, value in samples(scrape.detailed(site, ["queue_consumer_count"], ["second"], None)).items()
        if "_info" not in name
    }


def test_without_families_only_the_identity_is_detailed(core: Core, site: Site) -> None:
    """As RabbitMQ does."""
    declare(core, "a")
    names = {name.split()[0] for name in samples(scrape.detailed(site, [], [], None))}
    assert {"rabbitmq_identity_info", "rabbitmq_build_info"} == names


def test_what_a_cluster_shares_has_a_prefix_of_its_own(site: Site) -> None:
    """Virtual hosts and exchanges; the default exchange is not told."""
    found = samples(scrape.detailed(site, ["vhost_status", "exchange_bindings"], [], None))
    assert 1 == found["rabbitmq_cluster_vhost_status /"]
    assert 0 == found["rabbitmq_cluster_exchange_bindings / amq.direct direct"]


@pytest.mark.parametrize("count", [scrape.aggregated, scrape.per_object])
def test_an_alarm_is_told(site: Site, count: Callable[[Site], AsyncIterator[str]]) -> None:
    """Each resource has its own."""
    found = samples(count(site))
    assert (1, 0) == (found["rabbitmq_alarms_free_disk_space_watermark"], found["rabbitmq_alarms_memory_used_watermark"])
    assert 12345 == found["rabbitmq_resident_memory_limit_bytes"]


@pytest.mark.parametrize("count", [scrape.aggregated, scrape.per_object])
def test_damage_is_counted(core: Core, site: Site, count: Callable[[Site], AsyncIterator[str]]) -> None:
    """As often as somebody was told of it."""
    assert 0 == samples(count(site))["rabbitmq_store_damages_total"]
    core.broker.store.damages_told = 2
    assert 2 == samples(count(site))["rabbitmq_store_damages_total"]


def test_a_scrape_pauses_between_slices_of_its_work(core: Core, site: Site) -> None:
    """Something else runs in between, however many queues there are."""
    for number in range(5000):
        declare(core, f"q{number}")

    async def others_turns() -> int:
        turns = 0
        done = asyncio.Event()

        async def other() -> None:
            nonlocal turns
            while not done.is_set():
                turns += 1
                await asyncio.sleep(0)

        other_task = asyncio.create_task(other())
        async for _ in scrape.detailed(site, ["queue_consumer_count"], [], None):
            pass
        done.set()
        await other_task
        return turns

    assert asyncio.run(others_turns()) >= 3  # at least one each while it counts, labels and writes lines
