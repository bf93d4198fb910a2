"""Messages that a delaying exchange holds back until they are due; amqpd alone knows them."""

from typing import Final

from amqpd.ctl.api import Missing
from amqpd.ctl.command import Argument, Command, Invocation
from amqpd.ctl.commands.lists import COLUMN, Listing, wanted_columns, write
from amqpd.ctl.failure import UNAVAILABLE, Failure
from amqpd.ctl.output import Row

PAGE: Final = 1000
"""Messages that are fetched by one request."""
MESSAGES: Final = Listing(
    ("exchanges", "{vhost}", "{exchange}", "scheduled"),
    "Listing scheduled messages of exchange {exchange} in vhost {vhost} ...",
    ("id", "due_at", "routing_keys", "payload_bytes"),
    ("message_id", "properties", "payload", "payload_encoding"),
    {"message_id": "properties.message_id"},
)
EXCHANGE: Final = Argument("exchange", "name of the exchange that holds them back")


def list_scheduled_messages(invocation: Invocation) -> None:
    """All of them, the next ones first; due_at is in milliseconds since the epoch."""
    exchange, columns = invocation["exchange"], wanted_columns(MESSAGES, invocation["column"])
    invocation.output.remark(MESSAGES.remark.format(exchange=exchange, vhost=invocation.vhost))
    query = {"count": str(PAGE)} if "payload" in columns else {"count": str(PAGE), "truncate": "0"}
    found: list[Row] = []
    following: str | None = ""
    while following is not None:
        page = invocation.api.get("exchanges", invocation.vhost, exchange, "scheduled", **query, after=following)
        found += page["messages"]
        following = page["next"]
    write(invocation, MESSAGES, columns, found)


def cancel_scheduled_message(invocation: Invocation) -> None:
    """It never comes."""
    exchange, name = invocation["exchange"], invocation["id"]
    invocation.confirm(f"Cancel message {name} of exchange {exchange}")
    invocation.output.remark(f"Canceling scheduled message {name} of exchange '{exchange}' in vhost '{invocation.vhost}' ...")
    try:
        invocation.api.delete("exchanges", invocation.vhost, exchange, "scheduled", name)
    except Missing:
        raise Failure(UNAVAILABLE, f"there is no scheduled message {name} of exchange '{exchange}'") from None


COMMANDS: Final = (
    Command(
        "list_scheduled_messages", "list messages that an exchange holds back (amqpd)", list_scheduled_messages,
        (EXCHANGE, COLUMN),
    ),
    Command(
        "cancel_scheduled_message", "drop one of them (amqpd)", cancel_scheduled_message,
        (EXCHANGE, Argument("id", "what list_scheduled_messages calls it")),
    ),
)  # fmt: skip
