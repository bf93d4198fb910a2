"""Queues and connections: what is done to one of them."""

from typing import Any, Final

from amqpd.ctl.api import Missing
from amqpd.ctl.command import Argument, Command, Invocation
from amqpd.ctl.commands.lists import member
from amqpd.ctl.failure import DATA, UNAVAILABLE, Failure

BATCH: Final = 1000
"""Messages that are moved by one request."""

QUEUE: Final = Argument("queue", "name of the queue")
IF_EMPTY: Final = Argument("--if-empty", "only if it has no messages", "switch")
IF_UNUSED: Final = Argument("--if-unused", "only if it has no consumers", "switch")


def _queue(invocation: Invocation) -> dict[str, Any]:
    """The queue as the broker knows it. Raises Failure."""
    try:
        found: dict[str, Any] = invocation.api.get("queues", invocation.vhost, invocation["queue"])
    except Missing:
        raise Failure(UNAVAILABLE, f"there is no queue '{invocation['queue']}' in vhost '{invocation.vhost}'") from None
    return found


def _count(text: str | None, default: int) -> int:
    """A number of messages. Raises Failure."""
    if text is None:
        return default
    if not text.isdecimal():
        raise Failure(DATA, f"{text} is no number of messages")
    return int(text)


def delete_queue(invocation: Invocation) -> None:
    """The queue is gone with its messages."""
    name, messages = invocation["queue"], _queue(invocation).get("messages", 0)
    invocation.confirm(f"Delete queue {name} with {messages} messages")
    invocation.output.remark(f"Deleting queue '{name}' on vhost '{invocation.vhost}' ...")
    conditions = {option: "true" for option in ("if-empty", "if-unused") if invocation[option]}
    with invocation.output.waiting("Deleting"):
        invocation.api.delete("queues", invocation.vhost, name, **conditions)


def purge_queue(invocation: Invocation) -> None:
    """The messages that wait are gone."""
    name, messages = invocation["queue"], _queue(invocation).get("messages_ready", 0)
    invocation.confirm(f"Purge {messages} messages from queue {name}")
    invocation.output.remark(f"Purging queue '{name}' in vhost '{invocation.vhost}' ...")
    with invocation.output.waiting(f"Purging {messages} messages"):
        invocation.api.delete("queues", invocation.vhost, name, "contents")


def move_messages(invocation: Invocation) -> None:
    """Messages go to another queue, the oldest first; what it does not take stays where it is."""
    waiting = _queue(invocation).get("messages_ready", 0)
    left = min(_count(invocation["count"], waiting), waiting)
    moved = refused = 0
    with invocation.output.progress(f"Moving from {invocation['queue']}", left) as advance:
        while moved < left and not refused:
            body = {"queue": invocation["to"], "filter": {}, "count": min(BATCH, left - moved)}
            answer = invocation.api.post("queues", invocation.vhost, invocation["queue"], "messages", "move", body=body)
            refused = answer["refused"]
            moved += answer["count"]
            advance(answer["count"])
            if not answer["count"]:
                break
    invocation.output.facts({"moved": moved, "refused": refused})


def peek(invocation: Invocation) -> None:
    """Messages of a queue, which stay there untouched."""
    query = {"count": str(_count(invocation["count"], 10))}
    found = invocation.api.get("queues", invocation.vhost, invocation["queue"], "messages", **query)["messages"]
    if invocation.output.formatter == "json":
        invocation.output.document(found)
        return
    columns = ("exchange", "routing_key", "redelivered", "payload_bytes", "payload_encoding", "payload")
    invocation.output.rows(columns, [{column: member(item, column) for column in columns} for item in found])


def pause_queue(invocation: Invocation) -> None:
    """Its consumers get nothing until it is resumed."""
    invocation.api.put("queues", invocation.vhost, invocation["queue"], "pause")


def resume_queue(invocation: Invocation) -> None:
    """Its consumers get messages again."""
    invocation.api.put("queues", invocation.vhost, invocation["queue"], "resume")


# --- connections -------------------------------------------------------------------------------------------------------


def close_connection(invocation: Invocation) -> None:
    """One connection is closed."""
    invocation.output.remark(f"Closing connection {invocation['connection']} ...")
    invocation.api.delete("connections", invocation["connection"], reason=invocation["explanation"] or "")


def close_all_connections(invocation: Invocation) -> None:
    """All connections to the virtual host, or with --global to any, are closed."""
    items = [
        item for item in invocation.api.get("connections") if invocation["global"] or item.get("vhost") == invocation.vhost
    ]
    _close(invocation, items)


def close_all_user_connections(invocation: Invocation) -> None:
    """All connections of a user are closed."""
    _close(invocation, [item for item in invocation.api.get("connections") if item.get("user") == invocation["username"]])


def _close(invocation: Invocation, items: list[dict[str, Any]]) -> None:
    closed = 0
    with invocation.output.progress("Closing connections", len(items)) as advance:
        for item in items:
            try:
                invocation.api.delete("connections", item["name"], reason=invocation["explanation"] or "")
                closed += 1
            except Missing:  # It ended by itself.
                continue
            finally:
                advance(1)
    invocation.output.remark(f"Closed {closed} connections")


_EXPLANATION: Final = Argument("explanation", "reason that the client is told", "?")
_COUNT: Final = Argument("--count", "so many messages at most")

COMMANDS: Final = (
    Command("delete_queue", "delete a queue with its messages", delete_queue, (QUEUE, IF_EMPTY, IF_UNUSED)),
    Command("purge_queue", "delete the messages that wait in a queue", purge_queue, (QUEUE,)),
    Command(
        "move_messages", "move messages to another queue (amqpd)", move_messages,
        (QUEUE, Argument("to", "name of the queue that gets them"), _COUNT),
    ),
    Command("peek", "look at messages without touching them (amqpd)", peek, (QUEUE, _COUNT)),
    Command("pause_queue", "keep a queue's consumers waiting (amqpd)", pause_queue, (QUEUE,)),
    Command("resume_queue", "serve them again (amqpd)", resume_queue, (QUEUE,)),
    Command(
        "close_connection", "close a connection", close_connection,
        (Argument("connection", "name of the connection"), _EXPLANATION),
    ),
    Command(
        "close_all_connections", "close the connections to a virtual host", close_all_connections,
        (_EXPLANATION, Argument("--global", "to any virtual host", "switch")),
    ),
    Command(
        "close_all_user_connections", "close the connections of a user", close_all_user_connections,
        (Argument("username", "name of the user"), _EXPLANATION),
    ),
)  # fmt: skip
