"""Policies as exchanges and queues obey them."""

from collections.abc import Iterator

import pytest

from amqpd.broker import administration, governance
from amqpd.broker.enforcement import FEW, PER_TURN
from amqpd.broker.expression import WATCHED, Stopwatch
from amqpd.broker.queue import Queue
from amqpd.broker.terms import Invalid
from amqpd.wire import tables
from helpers.core import Core, declare


def rule(core: Core, name: str, pattern: str = "", *, priority: int = 0, apply_to: str = "all", **definition: object) -> bool:
    """Set a policy; underscores in keys stand for hyphens."""
    return governance.set_policy(core.broker, core.vhost, name, pattern, _keys(definition), priority, apply_to, operator=False)


def rule_as_operator(core: Core, name: str, pattern: str = "", **definition: object) -> bool:
    """Set an operator policy."""
    return governance.set_policy(core.broker, core.vhost, name, pattern, _keys(definition), 0, "all", operator=True)


def _keys(definition: dict[str, object]) -> dict[str, object]:
    return {key.replace("_", "-"): value for key, value in definition.items()}


def policy_name(queue: Queue) -> str | None:
    """The name of the queue's policy."""
    return queue.policy.name if queue.policy is not None else None


def declare_exchange(core: Core, name: str, **arguments: object) -> None:
    """A new durable fanout exchange."""
    core.vhost.declare_exchange("fanout", name, True, False, False, tables.encode(_keys(arguments)))


def test_setting_and_clearing() -> None:
    """A policy counts for a queue that exists as long as it is there, and is new only once."""
    core = Core()
    queue = declare(core, "orders")

    assert rule(core, "p", "^ord", max_length=5)
    assert not rule(core, "p", "^ord", max_length=7)
    assert ("p", 7) == (policy_name(queue), queue.limits.max_length)
    assert governance.clear_policy(core.broker, core.vhost, "p", operator=False)
    assert (None, -1) == (policy_name(queue), queue.limits.max_length)
    assert not governance.clear_policy(core.broker, core.vhost, "p", operator=False)


def test_a_new_queue_obeys_at_once() -> None:
    """So does one that is exclusive; the pattern is found anywhere in its name."""
    core = Core()
    rule(core, "p", "der", max_length=5)
    client = core.client()
    exclusive = core.vhost.declare_queue("a-der-b", False, False, client, declare(core, "x").arguments)

    assert 5 == declare(core, "orders").limits.max_length
    assert 5 == exclusive.limits.max_length
    assert -1 == declare(core, "invoices").limits.max_length


def test_the_highest_priority_wins() -> None:
    """Of those that match and can be obeyed; the name decides between equals."""
    core = Core()
    queue = declare(core, "q")
    rule(core, "b", max_length=1)
    rule(core, "a", max_length=2)
    assert "a" == policy_name(queue)
    rule(core, "z", priority=2, max_length=3)
    rule(core, "other", "^other$", priority=8, max_length=4)
    rule(core, "quorum", priority=9, delivery_limit=1)

    assert "z" == policy_name(queue)
    assert "quorum" == policy_name(declare(core, "quorum queue", x_queue_type="quorum"))


@pytest.mark.parametrize(
    ("apply_to", "ruled"),
    [
        ("all", ["classic", "quorum", "exchange"]),
        ("queues", ["classic", "quorum"]),
        ("classic_queues", ["classic"]),
        ("quorum_queues", ["quorum"]),
        ("streams", []),
        ("exchanges", ["exchange"]),
    ],
)
def test_apply_to(apply_to: str, ruled: list[str]) -> None:
    """A policy rules the kind of things that it is said to apply to."""
    core = Core()
    queues = [declare(core, "classic"), declare(core, "quorum", x_queue_type="quorum")]
    declare_exchange(core, "exchange")
    rule(core, "p", apply_to=apply_to, alternate_exchange="ae", max_length=5)
    found = [queue.name for queue in queues if queue.policy is not None]
    found += [name for name in ("exchange",) if core.vhost.exchanges[name].alternate == "ae"]

    assert ruled == found


def test_arguments_and_both_policies_together() -> None:
    """The smallest number counts, and the definition of the two policies is told without the arguments."""
    core = Core()
    queue = declare(core, "q", x_max_length=4, x_dead_letter_exchange="mine")
    rule(core, "p", max_length=5, message_ttl=7, dead_letter_exchange="theirs", dead_letter_routing_key="key")
    rule_as_operator(core, "o", max_length=3, expires=60_000)
    limits = queue.limits

    assert (3, 7, 60_000) == (limits.max_length, limits.message_ttl, limits.expires)
    assert ("mine", "key") == (limits.dead_letter_exchange, limits.dead_letter_routing_key)
    assert queue.operator_policy is not None
    assert "o" == queue.operator_policy.name
    assert {
        "max-length": 3, "message-ttl": 7, "expires": 60_000, "dead-letter-exchange": "theirs",
        "dead-letter-routing-key": "key",
    } == queue.policy_definition()  # fmt: skip


def test_a_shorter_queue_drops_its_oldest_messages() -> None:
    """A limit on the length holds at once for messages that wait."""
    core = Core()
    queue = declare(core, "q")
    core.channel().publish_many("q", [b"1", b"2", b"3"])
    rule(core, "p", max_length=2)
    core.settle()

    assert 2 == queue.ready.count


def test_expiry_counts_from_the_policy() -> None:
    """A queue that was unused for long does not vanish when a policy says how long is too long."""
    core = Core()
    declare(core, "q")
    core.broker.clock.now += 100_000
    rule(core, "p", expires=60_000)
    core.broker.agenda.run(core.broker.clock.now)
    assert "q" in core.vhost.queues
    core.broker.clock.now += 30_000
    rule(core, "p", expires=60_000, max_length=5)
    core.broker.clock.now += 30_000
    core.broker.agenda.run(core.broker.clock.now)

    assert "q" not in core.vhost.queues


def test_alternate_exchange() -> None:
    """A policy gives exchanges an alternate one, unless their arguments do; known routes are found anew."""
    core = Core()
    queue = declare(core, "q")
    declare_exchange(core, "ae")
    declare_exchange(core, "plain")
    declare_exchange(core, "own", alternate_exchange="elsewhere")
    core.vhost.bind(core.vhost.exchanges["ae"], "q", "", b"")
    channel = core.channel()
    channel.publish("plain", "", b"1")
    rule(core, "p", "^(plain|own|amq.fanout|)$", alternate_exchange="ae")
    for name in ("plain", "own", "amq.fanout", ""):
        channel.publish(name, "nowhere", b"2")
    governance.clear_policy(core.broker, core.vhost, "p", operator=False)
    channel.publish("plain", "", b"3")

    assert 2 == queue.ready.count


def test_many_queues_obey_some_at_a_time() -> None:
    """The first ones at once, the others with the appointments that follow; deleted ones are passed over."""
    core = Core()
    queues = [declare(core, f"q{number}", durable=False) for number in range(2 * PER_TURN)]
    rule(core, "p", max_length=5)
    first = sum(queue.limits.max_length == 5 for queue in queues)
    core.vhost.delete_queue(queues[0])
    late = declare(core, "late")
    while any(queue.limits.max_length != 5 for queue in queues[1:]):
        core.broker.agenda.run(core.broker.clock.now)

    assert 0 < first <= PER_TURN
    assert (5, -1) == (late.limits.max_length, queues[0].limits.max_length)


class Counted(Stopwatch):
    """Counts searches."""

    def __init__(self) -> None:
        self.count = 0

    def start(self, seconds: float) -> None:
        """One more."""
        self.count += 1


@pytest.fixture
def searches() -> Iterator[Counted]:
    """How often expressions are read, or searched names with."""
    before, WATCHED.stopwatch = WATCHED.stopwatch, Counted()
    yield WATCHED.stopwatch
    WATCHED.stopwatch = before


def test_many_policies_are_obeyed_by_fewer_queues_at_a_time(searches: Counted) -> None:
    """What a turn searches does not grow with the policies, and what many changes search not with their square."""
    core = Core()
    core.broker.clock.now = 1
    queues = [declare(core, f"q{number}", durable=False) for number in range(20)]
    for number in range(400):
        rule(core, f"p{number}", f"^no{number}$", max_length=5)
    rule(core, "z", "^q", priority=-1, max_length=7)
    assert searches.count < 100 * 400
    while core.broker.agenda.next():
        searches.count = 0
        core.broker.agenda.run(core.broker.clock.now)
        assert searches.count <= 2 * PER_TURN * FEW

    assert {7} == {queue.limits.max_length for queue in queues}


def test_a_change_while_queues_wait_for_another() -> None:
    """In the end all queues obey the latest policies."""
    core = Core()
    core.broker.clock.now = 1
    queues = [declare(core, f"q{number}", durable=False) for number in range(3 * PER_TURN)]
    rule(core, "p", max_length=5)
    core.broker.agenda.run(core.broker.clock.now)
    rule(core, "p", max_length=7)
    while core.broker.agenda.next():
        core.broker.agenda.run(core.broker.clock.now)

    assert {7} == {queue.limits.max_length for queue in queues}


def test_who_waits_for_a_change() -> None:
    """Whoever asks is told once all queues obey, and not before; a change that is over keeps nobody waiting."""
    core = Core()
    core.broker.clock.now = 1
    queues = [declare(core, f"q{number}", durable=False) for number in range(2 * PER_TURN)]
    told: list[set[int]] = []
    rule(core, "p", max_length=5)
    core.broker.enforcement.when_over(lambda: told.append({queue.limits.max_length for queue in queues}))
    assert ([], True) == (told, core.broker.enforcement.is_under_way())
    while core.broker.agenda.next():
        core.broker.agenda.run(core.broker.clock.now)

    assert [{5}] == told
    assert not core.broker.enforcement.is_under_way()


def test_policies_survive_a_restart() -> None:
    """Both kinds count again for what was recovered and for predeclared exchanges, until they are cleared."""
    core = Core()
    declare(core, "q")
    declare_exchange(core, "e")
    rule(core, "p", "^(q|e|amq.topic)$", priority=3, max_length=5, alternate_exchange="ae")
    rule_as_operator(core, "o", max_length=3)
    core.commit()
    core = core.restart()
    queue = core.vhost.queues["q"]

    assert ("p", 3) == (policy_name(queue), queue.limits.max_length)
    assert ["ae", "ae"] == [core.vhost.exchanges[name].alternate for name in ("e", "amq.topic")]
    assert governance.clear_policy(core.broker, core.vhost, "o", operator=True)
    core.commit()
    assert 5 == core.restart().vhost.queues["q"].limits.max_length


def test_priorities_need_not_be_whole() -> None:
    """One between 1 and 2 is between them, also after a restart; whole ones stay whole."""
    core = Core()
    queue = declare(core, "orders")
    for name, priority in (("low", 1.0), ("middle", 1.5), ("high", 2)):
        governance.set_policy(core.broker, core.vhost, name, "", {"max-length": 1}, priority, "all", operator=False)
    governance.clear_policy(core.broker, core.vhost, "high", operator=False)
    assert "middle" == policy_name(queue)
    core.commit()
    again = core.restart().vhost.policies.by_name

    assert ["1", "1.5"] == [str(again[name].priority) for name in ("low", "middle")]


def test_policies_end_with_their_virtual_host() -> None:
    """A new one of the same name has none."""
    core = Core()
    vhost = core.broker.add_vhost("other")
    governance.set_policy(core.broker, vhost, "p", "", {"max-length": 5}, 0, "all", operator=False)
    governance.set_vhost_limits(core.broker, vhost, {"max-queues": 1})
    administration.delete_vhost(core.broker, vhost)
    core.broker.add_vhost("other")
    core.commit()
    again = core.restart().broker.vhosts["other"]

    assert ({}, {}) == (again.policies.by_name, again.quota.limits)


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"pattern": 5}, "pattern should be a binary but was 5"),
        ({"pattern": "("}, "pattern should be regular expression but is invalid: {"),
        ({"pattern": "x" * 3000}, "pattern should be UTF-8 and have at most 2000 octets"),
        ({"priority": "5"}, 'priority should be a number, actually was <<"5">>'),
        ({"apply_to": "x"}, "apply-to 'x' unrecognised; should be one of: 'queues', "),
        ({"definition": {}}, "no policy provided"),
        ({"priority": "x", "definition": {}}, 'priority should be a number, actually was <<"x">>\nno policy provided\n'),
    ],
)
def test_refused_policies(sent: dict[str, object], problem: str) -> None:
    """RabbitMQ's words, each problem in a line of its own, and nothing is changed."""
    core = Core()
    parts: dict[str, object] = {"pattern": "", "definition": {"max-length": 1}, "priority": None, "apply_to": None, **sent}
    with pytest.raises(Invalid) as refused:
        governance.set_policy(
            core.broker, core.vhost, "p", parts["pattern"], parts["definition"], parts["priority"], parts["apply_to"],
            operator=False,
        )  # fmt: skip

    assert str(refused.value).startswith(f"Validation failed\n\n{problem}")
    assert {} == core.vhost.policies.by_name
