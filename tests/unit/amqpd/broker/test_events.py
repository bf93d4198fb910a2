from amqpd.broker import administration, governance
from amqpd.broker.events import EXCHANGE, NOBODY
from amqpd.broker.profile import Profile
from amqpd.wire import properties, tables
from helpers.core import Core, CoreChannel, declare


def setting(binding: str = "#") -> tuple[Core, CoreChannel]:
    """A core whose events go to a channel."""
    core = Core()
    core.broker.clock.now = 1_234_567
    queue = declare(core, "events")
    channel = core.channel()
    channel.session.consume(queue, "c", True, False, 0)
    core.vhost.bind(core.vhost.exchanges[EXCHANGE], "events", binding, b"")
    told(core, channel)
    core.broker.events.actor = "guest"
    return core, channel


def told(core: Core, channel: CoreChannel) -> list[tuple[object, dict[str, object]]]:
    """The keys and headers of new events, less their time."""
    core.finish()
    found = []
    for heard in channel.heard():
        header = properties.parse(heard.header)
        assert b"" == heard.body
        assert (2, 1234) == (header.delivery_mode, header.timestamp)
        headers = tables.decode(header.headers or b"")
        assert headers.pop("timestamp_in_ms") == 1_234_567
        found.append((heard.values[-1], headers))
    return found


def test_objects_come_and_go() -> None:
    """Queues, exchanges and bindings are told of with RabbitMQ's headers in its order."""
    core, channel = setting()
    declare(core, "q", x_max_length=5)
    exchange = core.vhost.declare_exchange("topic", "x", True, False, False, b"")
    core.vhost.bind(exchange, "q", "k", tables.encode({"a": 1}))
    core.vhost.delete_queue(core.vhost.queues["q"])
    core.vhost.delete_exchange(exchange)
    events = told(core, channel)

    assert [
        "queue.created", "exchange.created", "binding.created", "binding.deleted", "queue.deleted", "exchange.deleted",
    ] == [key for key, _ in events]  # fmt: skip
    assert [
        ("user_who_performed_action", "guest"), ("exclusive", False), ("arguments", {"x-max-length": 5}),
        ("auto_delete", False), ("durable", True), ("name", "q"), ("vhost", "/"),
    ] == list(events[0][1].items())  # fmt: skip
    assert [
        ("user_who_performed_action", "guest"), ("vhost", "/"), ("arguments", {"a": 1}), ("routing_key", "k"),
        ("destination_kind", "queue"), ("destination_name", "q"), ("source_kind", "exchange"), ("source_name", "x"),
    ] == list(events[2][1].items())  # fmt: skip


def test_users_and_rights() -> None:
    """Everything that happens to a user, and no hash of a password."""
    core, channel = setting("*.#")
    broker = core.broker
    user = administration.save_user(broker, "u", "hash", "sha", ("management",))
    administration.save_user(broker, "u", "other", "sha", ())
    administration.save_user(broker, "u", "", "sha", ())
    administration.set_permission(broker, user, "/", ".*", "w", "r")
    administration.set_topic_permission(broker, user, "/", "x", "w", "r")
    administration.clear_topic_permissions(broker, user, "/", "")
    administration.clear_permission(broker, user, "/")
    governance.set_user_limits(broker, "u", {"max-channels": 3})
    administration.delete_user(broker, user)
    events = told(core, channel)

    assert [
        "user.created", "user.tags.set", "user.password.changed", "user.tags.set", "user.password.cleared", "user.tags.set",
        "permission.created", "topic.permission.created", "topic.permission.deleted", "permission.deleted",
        "user.limits.set", "user.limits.cleared", "user.deleted",
    ] == [key for key, _ in events]  # fmt: skip
    assert {"user_who_performed_action": "guest", "tags": ["management"], "name": "u"} == events[1][1]
    assert "hash" not in str(events)


def test_virtual_hosts_and_policies() -> None:
    """An operator's doings; a queue that a policy rules is told of too."""
    core, channel = setting()
    broker = core.broker
    vhost = administration.add_vhost(broker, "v", "")
    governance.set_vhost_limits(broker, vhost, {"max-queues": 1})
    administration.save_profile(broker, vhost, Profile())
    administration.delete_vhost(broker, vhost)
    declare(core, "q")
    told_before = told(core, channel)
    governance.set_policy(broker, core.vhost, "p", "^q$", {"max-length": 1}, 7, "queues", False)
    governance.clear_policy(broker, core.vhost, "p", False)
    events = told(core, channel)

    keys = [key for key, _ in told_before]
    assert ["vhost.created", "vhost.limits.set", "vhost.limits.cleared", "vhost.deleted", "queue.created"] == keys
    assert {"policy.set", "queue.policy.updated", "policy.cleared", "queue.policy.cleared"} == {key for key, _ in events}
    (rule,) = [headers for key, headers in events if key == "policy.set"]
    assert {"apply-to": "queues", "priority": 7, "definition": {"max-length": 1}, "pattern": "^q$"}.items() <= rule.items()


def test_consumers() -> None:
    """They come with what they asked for; a queue's end takes them along."""
    core, channel = setting("consumer.*")
    queue = declare(core, "q")
    other = core.channel()
    other.consume(queue, "t", prefetch=7)
    other.session.cancel("t")
    other.consume(queue, "u")
    core.vhost.delete_queue(queue)
    events = told(core, channel)

    assert ["consumer.created", "consumer.deleted"] * 2 == [key for key, _ in events]
    assert {"prefetch_count": 7, "queue": "q", "ack_required": True, "consumer_tag": "t"}.items() <= events[0][1].items()


def test_nothing_is_told_where_nobody_listens() -> None:
    """An exchange without bindings costs nothing, and other virtual hosts have none (2)."""
    core = Core()
    before = core.vhost.generation
    core.broker.events.emit("alarm.set", {"unencodable": object()})
    core.broker.add_vhost("v")
    assert before == core.vhost.generation
    assert EXCHANGE in core.vhost.exchanges
    assert EXCHANGE not in core.broker.vhosts["v"].exchanges
    assert NOBODY == core.broker.events.actor


def test_bindings_to_it_survive() -> None:
    """The exchange is there before bindings are recovered."""
    core, _ = setting("queue.*")
    core.commit()
    restarted = core.restart()
    declare(restarted, "q")
    assert restarted.vhost.queues["events"].ready.count == 1
