import pytest

from amqpd.wire.tables import Timestamp
from exchanges.base import ArgumentError, Exchange
from exchanges.direct import DirectExchange
from exchanges.fanout import FanoutExchange
from exchanges.hashing import ConsistentHashExchange, RandomExchange
from exchanges.headers import HeadersExchange
from exchanges.router import Gatekeeper, Router, routing_keys
from exchanges.topic import TopicExchange


def router(*exchanges: Exchange) -> Router:
    """A router among these exchanges."""
    return Router({exchange.name: exchange for exchange in exchanges})


def test_each_queue_once() -> None:
    """A queue that several bindings, keys and exchanges lead to is named once."""
    source, target = TopicExchange("source"), FanoutExchange("target")
    source.bind("one", "a", {})
    source.bind("one", "#", {})
    source.bind("two", "b", {})
    source.bind(target, "*", {})
    target.bind("two", "", {})
    target.bind("three", "", {})

    assert sorted(router(source, target).route(source, ["a", "b"], {})) == ["one", "three", "two"]


def test_cycles_of_bindings_end() -> None:
    """Exchanges that are bound to each other and to themselves are visited once."""
    first, second = FanoutExchange("first"), FanoutExchange("second")
    first.bind(first, "", {})
    first.bind(second, "", {})
    second.bind(first, "", {})
    second.bind("queue", "", {})

    assert router(first, second).route(first, [""], {}) == ["queue"]


def test_alternate_exchange() -> None:
    """The alternate exchange gets what matched nothing, and nothing else."""
    source = DirectExchange("source", arguments={"alternate-exchange": "alternate"})
    alternate = FanoutExchange("alternate")
    source.bind("bound", "key", {})
    alternate.bind("rest", "", {})
    routes = router(source, alternate)

    assert routes.route(source, ["key"], {}) == ["bound"]
    assert routes.route(source, ["other"], {}) == ["rest"]
    assert routes.route(source, ["other", "key"], {}) == ["bound"]


def test_alternate_exchange_of_an_exchange_on_the_way() -> None:
    """Each exchange visited has its alternate; a matched exchange that leads nowhere needs none at its source."""
    source = DirectExchange("source", arguments={"alternate-exchange": "alternate"})
    target = DirectExchange("target")
    alternate = FanoutExchange("alternate")
    source.bind(target, "key", {})
    alternate.bind("rest", "", {})
    routes = router(source, target, alternate)
    assert routes.route(source, ["key"], {}) == []

    target.alternate = "alternate"
    assert routes.route(source, ["key"], {}) == ["rest"]


def test_alternate_exchanges_in_a_chain_and_a_loop() -> None:
    """Alternates of alternates are followed, a missing one is ignored, and a loop of them ends."""
    first, second, third = DirectExchange("first"), DirectExchange("second"), DirectExchange("third")
    first.alternate, second.alternate = "second", "third"
    routes = router(first, second, third)
    third.bind("queue", "key", {})
    assert routes.route(first, ["key"], {}) == ["queue"]

    third.alternate = "first"
    assert routes.route(first, ["other"], {}) == []

    second.alternate = "missing"
    assert routes.route(first, ["key"], {}) == []


def test_an_alternate_exchange_declared_later_is_found() -> None:
    """The router looks alternates up among the exchanges that exist when it routes."""
    source = DirectExchange("source", arguments={"alternate-exchange": "later"})
    exchanges: dict[str, Exchange] = {"source": source}
    routes = Router(exchanges)
    assert routes.route(source, ["key"], {}) == []

    later = FanoutExchange("later")
    later.bind("queue", "", {})
    exchanges["later"] = later
    assert routes.route(source, ["key"], {}) == ["queue"]


def test_a_message_with_several_keys_is_spread_once() -> None:
    """An exchange that picks one destination picks one per message, by its first key."""
    exchange = ConsistentHashExchange("x")
    for queue in "abcdef":
        exchange.bind(queue, "1", {})
    routes = router(exchange)

    assert len(routes.route(exchange, [str(number) for number in range(50)], {})) == 1
    assert {*routes.route(exchange, ["key", "1"], {})} == {*routes.route(exchange, ["key", "2"], {})}


def test_headers_are_handed_on() -> None:
    """An exchange behind another sees the message's headers."""
    source, target = FanoutExchange("source"), HeadersExchange("target")
    source.bind(target, "", {})
    target.bind("queue", "", {"a": 1})

    assert router(source, target).route(source, [""], {"a": 1}) == ["queue"]
    assert router(source, target).route(source, [""], {"a": 2}) == []


def test_cacheable_depends_on_all_that_is_reachable() -> None:
    """One exchange behind a binding or an alternate that needs more than the key makes the whole route uncacheable."""
    source, middle, random, headers = (
        DirectExchange("source"),
        TopicExchange("middle"),
        RandomExchange("random"),
        HeadersExchange("headers"),
    )
    routes = router(source, middle, random, headers)
    source.bind(middle, "key", {})
    middle.bind(source, "key", {})
    assert routes.reach(source).by_key
    assert {source, middle} == routes.reachable(source)

    middle.bind(random, "key", {})
    assert not routes.reach(source).by_key

    middle.unbind_all(random)
    assert routes.reach(source).by_key

    middle.alternate = "headers"
    assert not routes.reach(source).by_key
    assert not routes.reach(headers).by_key


def test_wanted_properties_behind_a_binding() -> None:
    """Properties are wanted if any reachable exchange looks at them."""
    source = FanoutExchange("source")
    target = ConsistentHashExchange("target", arguments={"hash-property": "message_id"})
    routes = router(source, target)
    assert not routes.reach(source).wants_properties

    source.bind(target, "1", {})
    assert routes.reach(source).wants_properties


@pytest.mark.parametrize(
    ("headers", "keys"),
    [
        ({}, ["key"]),
        ({"CC": []}, ["key"]),
        ({"CC": ["a", "b"], "BCC": ["c"]}, ["key", "a", "b", "c"]),
        ({"CC": ["a", 1, None, ["b"]]}, ["key", "a"]),
        ({"cc": ["a"]}, ["key"]),
    ],
)
def test_routing_keys(headers: dict[str, object], keys: list[str]) -> None:
    """CC and BCC add routing keys; what is no string in them is ignored, as RabbitMQ does."""
    assert keys == routing_keys("key", headers)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"CC": "a"}, '{unacceptable_type_in_header,"CC",longstr}'),
        ({"CC": 5}, '{unacceptable_type_in_header,"CC",signedint}'),
        ({"CC": None}, '{unacceptable_type_in_header,"CC",void}'),
        ({"CC": True}, '{unacceptable_type_in_header,"CC",bool}'),
        ({"CC": Timestamp(5)}, '{unacceptable_type_in_header,"CC",timestamp}'),
        ({"CC": ["a"], "BCC": {"a": 1}}, '{unacceptable_type_in_header,"BCC",table}'),
    ],
)
def test_wrong_routing_keys(headers: dict[str, object], text: str) -> None:
    """CC or BCC that is no array is refused in RabbitMQ's words."""
    with pytest.raises(ArgumentError) as raised:
        routing_keys("key", headers)
    assert f"invalid message: {text}" == str(raised.value)


class Keeper(Gatekeeper):
    """Closes one gate, and remembers at which it stood."""

    def __init__(self, closed: Exchange) -> None:
        self.closed = closed
        self.seen: list[Exchange] = []

    def admits(self, exchange: Exchange) -> bool:
        """See `Gatekeeper.admits`."""
        self.seen.append(exchange)
        return exchange is not self.closed


def test_a_gatekeeper_stands_at_gated_exchanges_only() -> None:
    """What it does not admit goes neither to bindings nor to the alternate (invariant 4); the rest of the way is open."""
    source, gated, open_one = FanoutExchange("source"), FanoutExchange("gated"), FanoutExchange("open")
    spare = FanoutExchange("spare")
    gated.alternate = "spare"
    gated.gated = spare.gated = True
    spare.bind("spare", "", {})
    open_one.bind("two", "", {})
    source.bind(gated, "", {})
    source.bind(open_one, "", {})
    routes = router(source, gated, open_one, spare)
    assert (True, False) == (routes.reach(source).gated, routes.reach(open_one).gated)
    assert (False, True) == (routes.reach(source).by_key, routes.reach(open_one).by_key)
    assert (False, True) == (routes.reach(spare).by_key, routes.reach(spare, spare).by_key)

    keeper = Keeper(gated)
    assert ["two"] == routes.route(source, [""], {}, keeper)
    assert [gated] == keeper.seen
    keeper = Keeper(source)
    assert ["spare", "two"] == sorted(routes.route(source, [""], {}, keeper))
    assert [gated, spare] == keeper.seen
    assert ["spare", "two"] == sorted(routes.route(source, [""], {}))
