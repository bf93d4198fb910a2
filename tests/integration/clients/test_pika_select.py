"""pika's SelectConnection: callbacks only, everything in flight at once."""

from collections.abc import Callable

import pika
from pika.channel import Channel
from pika.frame import Method
from pika.spec import Basic, BasicProperties

from helpers.broker import Broker
from helpers.tally import SETTLED, TOTAL, Tally, numbered_bodies

PREFETCH = 10


class Scenario:
    """Publishes a thousand messages without waiting for confirms, and settles them as they come."""

    def __init__(self, url: str, queue: str) -> None:
        self.queue = queue
        self.confirmed = 0
        self.close_reason: Exception | None = None
        self.tally = Tally()
        self.connection = pika.SelectConnection(
            pika.URLParameters(url),
            on_open_callback=self.on_open,
            on_open_error_callback=self.on_close,
            on_close_callback=self.on_close,
        )

    def run(self) -> None:
        """Run until the connection is closed, and free the loop."""
        self.connection.ioloop.start()
        self.connection.ioloop.close()

    def on_open(self, connection: pika.SelectConnection) -> None:
        connection.channel(on_open_callback=self.on_channel)

    def on_channel(self, channel: Channel) -> None:
        self.channel = channel
        channel.confirm_delivery(self.on_confirm)
        channel.queue_declare(self.queue, exclusive=True, callback=self.on_queue)

    def on_queue(self, _: Method) -> None:
        for body in numbered_bodies():
            self.channel.basic_publish("", self.queue, body)
        self.channel.basic_qos(prefetch_count=PREFETCH, callback=self.on_qos)

    def on_qos(self, _: Method) -> None:
        self.channel.basic_consume(self.queue, self.on_delivery)

    def on_confirm(self, frame: Method) -> None:
        assert isinstance(frame.method, Basic.Ack)
        self.confirmed = frame.method.delivery_tag
        self.close_when_done()

    def on_delivery(self, channel: Channel, method: Basic.Deliver, _: BasicProperties, body: bytes) -> None:
        settle: dict[str, Callable[[int], None]] = {
            "acked": channel.basic_ack,
            "requeued": channel.basic_nack,
            "rejected": lambda tag: channel.basic_reject(tag, requeue=False),
        }
        settle[self.tally.choose(body, redelivered=method.redelivered)](method.delivery_tag)
        self.close_when_done()

    def close_when_done(self) -> None:
        if self.tally.is_complete and self.confirmed == TOTAL:
            self.connection.close()

    def on_close(self, connection: pika.SelectConnection, reason: Exception) -> None:
        self.close_reason = reason
        connection.ioloop.stop()


def test_a_thousand_messages_in_flight_are_confirmed_and_settled(broker: Broker, unique_name: str) -> None:
    """Confirms and deliveries interleave with publishes; all are accounted for and the connection closes with 200."""
    scenario = Scenario(broker.url, unique_name)
    scenario.run()
    assert SETTLED == scenario.tally.counts
    assert isinstance(scenario.close_reason, pika.exceptions.ConnectionClosedByClient)
    assert 200 == scenario.close_reason.reply_code
