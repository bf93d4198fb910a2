from amqpd.broker import administration
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.profile import Profile
from amqpd.broker.session import Session
from amqpd.broker.tracing import EXCHANGE
from amqpd.wire import properties, tables
from helpers.client import Heard
from helpers.core import Core, CoreChannel, declare


class Everything(ConnectionInfo):
    """A connection that has this channel."""

    def __init__(self, core: Core, channel: CoreChannel) -> None:
        super().__init__({})
        self.vhost = core.vhost.name
        self.channel = channel

    def sessions(self) -> dict[int, Session]:
        """The only one."""
        return {1: self.channel.session}


def trace(core: Core, tracing: bool) -> None:
    """Turn the firehose on or off."""
    profile = Profile()
    profile.tracing = tracing
    administration.save_profile(core.broker, core.vhost, profile)


def setting() -> tuple[Core, CoreChannel]:
    """A core with queues `a` and `trace`, to which everything is copied, and a channel."""
    core = Core()
    declare(core, "a")
    declare(core, "trace")
    core.vhost.bind(core.vhost.exchanges[EXCHANGE], "trace", "#", b"")
    trace(core, True)
    client = core.client()
    client.connection_name = "connection"
    return core, core.channel(client)


def copies(core: Core, key: str = "") -> list[tuple[object, dict[str, object], bytes]]:
    """Routing key, headers and body of what was copied, those with one key if it is given."""
    core.finish()
    reader = core.channel()
    found = []
    while reader.session.get(core.vhost.queues["trace"], True):
        found.append(_copy(reader.heard()[-1]))
    return [copy for copy in found if key in ("", copy[0])]


def _copy(heard: Heard) -> tuple[object, dict[str, object], bytes]:
    header = properties.parse(heard.header)
    assert header.delivery_mode is None
    return heard.values[3], tables.decode(header.headers or b""), heard.body


def test_a_publish_is_copied() -> None:
    """With its address, its properties and the queues it went to, in RabbitMQ's order."""
    core, channel = setting()
    headers = tables.encode({"CC": ["x"], "n": 1})
    channel.publish("amq.direct", "k", b"body", headers=headers, priority=3, content_type="t", timestamp=5)
    channel.publish("", "a", b"body")
    (first, second) = copies(core)

    assert ("publish.amq.direct", b"body") == (first[0], first[2])
    assert [
        ("exchange_name", "amq.direct"), ("routing_keys", ["k", "x"]),
        ("properties", {"timestamp": 5, "priority": 3, "headers": {"CC": ["x"], "n": 1}, "content_type": "t"}),
        ("node", "amqpd@localhost"), ("vhost", "/"), ("connection", "connection"), ("channel", 1), ("user", "guest"),
        ("routed_queues", []),
    ] == list(first[1].items())  # fmt: skip
    assert ("publish.", ["a"]) == (second[0], second[1]["routed_queues"])


def test_a_delivery_is_copied() -> None:
    """Once for each time, to consumers and getters alike, with the queue's name as key."""
    core, channel = setting()
    queue = core.vhost.queues["a"]
    channel.publish("", "a", b"body")
    channel.session.get(queue, False)
    channel.session.nack(1, False, True)
    channel.consume(queue)
    delivered = copies(core, "deliver.a")

    assert [0, 1] == [headers["redelivered"] for _, headers, _ in delivered]
    assert [b"body"] * 2 == [body for _, _, body in delivered]
    assert "routed_queues" not in delivered[0][1]


def test_a_copy_is_not_copied() -> None:
    """Consuming traces makes no traces (1)."""
    core, channel = setting()
    reader = core.channel()
    reader.consume(core.vhost.queues["trace"])
    channel.publish("", "a", b"body")
    core.finish()

    assert [b"body"] == reader.bodies()
    assert [] == copies(core)


def test_it_is_turned_on_and_off_at_once() -> None:
    """Also for consumers that are there and for publishers that published before."""
    core, channel = setting()
    queue = core.vhost.queues["a"]
    channel.consume(queue, no_ack=True)
    core.broker.connections.add(Everything(core, channel))
    for expected in (2, 0, 2):
        channel.publish("", "a", b"body")
        assert expected == len(copies(core))
        trace(core, expected == 0)


def test_it_stays_on_over_a_restart() -> None:
    """Tracing belongs to what a virtual host says of itself."""
    core, _ = setting()
    core.commit()
    assert core.restart().vhost.tracing


def test_a_long_name_still_makes_a_key() -> None:
    """A queue's name may have 255 octets, and a routing key no more."""
    core, channel = setting()
    name = "q" * 255
    declare(core, name)
    channel.publish("", name, b"")
    channel.session.get(core.vhost.queues[name], True)

    assert "deliver." + "q" * 247 == copies(core)[-1][0]
