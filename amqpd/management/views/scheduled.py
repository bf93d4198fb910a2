"""Beyond RabbitMQ: look at the messages that a delaying exchange holds back, and cancel one."""

from __future__ import annotations

import asyncio
from typing import Final

from amqpd.broker.permissions import READ
from amqpd.broker.rights import check_right
from amqpd.broker.schedule import Schedule, Scheduled
from amqpd.management.call import Call
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, not_found
from amqpd.management.tables import text
from amqpd.management.views.browsing import COUNT, COUNT_MAX, TRUNCATE, within
from amqpd.management.views.exchanges import seen_exchange
from amqpd.management.views.messages import message_shape
from persistence.calendar import BEGINNING, END, Place

LARGEST: Final = 2**63


async def list_scheduled(call: Call) -> object:
    """The messages that the exchange holds back in the order of their times; `next` is where to go on."""
    schedule = _schedule(call)
    count = within(call.query.get("count", str(COUNT)), COUNT_MAX)
    truncate = within(call.query.get("truncate", str(TRUNCATE)), 2**40)
    after = call.query.get("after", "")
    place = _behind(_place(after)) if after else BEGINNING
    found: list[Scheduled] = []
    while schedule is not None and len(found) <= count and place < END:
        page = await asyncio.get_running_loop().run_in_executor(None, schedule.upcoming, place)
        found += schedule.listed(place, page)
        place = _behind(page[-1].place) if page else END
    shown = found[:count]
    following = _name(shown[-1].place) if shown and len(found) > count else None
    return {"messages": [_scheduled_shape(scheduled, truncate) for scheduled in shown], "next": following}


async def cancel_scheduled(call: Call) -> object:
    """Drop a message that the exchange holds back."""
    call.entered_vhost()
    schedule = _schedule(call)
    if schedule is None or not schedule.cancel(_place(call["id"])):
        raise not_found()
    return await call.done()


def _schedule(call: Call) -> Schedule | None:
    """What the exchange holds back; None if it never holds back anything. Raises Refusal, AccessRefused."""
    vhost, exchange = seen_exchange(call)
    check_right(call.client(vhost), READ, "exchange", exchange.name)
    return vhost.gates.schedule(exchange)


def _scheduled_shape(scheduled: Scheduled, truncate: int) -> Shape:
    return {
        "id": _name(scheduled.place),
        "due_at": scheduled.place[0],
        "routing_keys": [text(key) for key in scheduled.routing_keys],
        **message_shape(scheduled.message, "auto", truncate),
    }


def _name(place: Place) -> str:
    return f"{place[0]}.{place[1]}"


def _place(name: str) -> Place:
    """The place that a message's id names. Raises Refusal."""
    time, _, sequence = name.partition(".")
    if not (time + sequence).isascii() or not time.isdecimal() or not sequence.isdecimal():
        raise bad_request("not the id of a scheduled message")
    place = (int(time[:30]), int(sequence[:30]))
    if max(place) >= LARGEST:
        raise bad_request("not the id of a scheduled message")
    return place


def _behind(place: Place) -> Place:
    return (place[0], place[1] + 1)
