"""Users that an HTTP service knows: every question is asked without stopping anybody else."""

import threading
from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from conformance.client.connection import Connection, plain
from helpers.broker import BrokerProcess
from helpers.service import Service
from helpers.users import refusal

Dial = Callable[..., Connection]

LOGIN_REFUSED = "ACCESS_REFUSED - Login was refused"


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that knows carol, who may do nearly everything."""

    def rule(subject: str, question: dict[str, str]) -> str:
        if subject == "user":
            return "allow impersonator monitoring" if question.get("password") == "secret" else "deny\n"
        if question.get("name") == "forbidden":
            return "deny"
        return "deny" if question.get("routing_key", "").startswith("no") else "Allow"

    with Service(rule) as running:
        yield running


@pytest.fixture(params=["get", "post"])
def broker(start_broker: Callable[..., BrokerProcess], service: Service, request: pytest.FixtureRequest) -> BrokerProcess:
    """A broker that asks the service about whom it does not know itself."""
    method = ("--auth-http-method", request.param)
    return start_broker("--auth-backends", "internal http", *service.options, *method, "--auth-http-cache", "3600")


def channel(broker: BrokerProcess, user: str = "carol", password: str = "secret") -> BlockingChannel:
    """A channel of a new connection."""
    credentials = pika.PlainCredentials(user, password)
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker.port, credentials=credentials)).channel()


def test_everything_that_a_client_does(broker: BrokerProcess, service: Service) -> None:
    """Declaring, binding, publishing and consuming are asked about once and go on in order."""
    carol = channel(broker)
    carol.confirm_delivery()
    queue = carol.queue_declare("", exclusive=True).method.queue
    carol.queue_bind(queue, "amq.topic", "a.#")
    for number in range(50):
        carol.basic_publish("amq.topic", "a.b", str(number).encode(), pika.BasicProperties(user_id="somebody"))
    bodies = [int(carol.basic_get(queue, auto_ack=True)[2]) for _ in range(50)]
    carol.connection.close()
    asked = [(subject, question.get("permission", "")) for _, subject, question in service.asked]

    assert list(range(50)) == bodies
    assert [
        *[("user", ""), ("vhost", ""), ("resource", "configure")],
        *[("resource", "write"), ("resource", "read"), ("topic", "read")],
        *[("resource", "write"), ("topic", "write"), ("resource", "read")],
    ] == asked


def test_messages_that_were_sent_at_once(broker: BrokerProcess) -> None:
    """What a client pipelines behind an undecided publish stays behind it."""
    carol = channel(broker)
    carol.queue_declare("pipelined")
    for number in range(1000):
        carol.basic_publish("", "pipelined", bytes([number % 7]) * (number % 5 * 4000))
    bodies = [body for _, _, body in (carol.basic_get("pipelined", auto_ack=True) for _ in range(1000))]
    carol.connection.close()

    assert [bytes([number % 7]) * (number % 5 * 4000) for number in range(1000)] == bodies


def test_what_is_refused(broker: BrokerProcess) -> None:
    """Resources and routing keys, with the words of any other refusal."""
    carol = channel(broker)
    with pytest.raises(ChannelClosedByBroker, match="access to queue 'forbidden' in vhost '/' refused for user 'carol'"):
        carol.queue_declare("forbidden")
    carol = carol.connection.channel()
    carol.confirm_delivery()
    carol.basic_publish("amq.topic", "yes", b"")
    with pytest.raises(ChannelClosedByBroker, match=r"write access to topic 'no' in exchange 'amq\.topic'"):
        carol.basic_publish("amq.topic", "no", b"")
    carol = carol.connection.channel()
    carol.confirm_delivery()
    with pytest.raises(ChannelClosedByBroker, match=r"write access to topic 'no' in exchange 'amq\.topic'"):
        carol.basic_publish("amq.topic", "yes", b"", pika.BasicProperties(headers={"CC": ["no"]}))
    carol.connection.close()


def test_logins(broker: BrokerProcess, service: Service, dial: Dial) -> None:
    """A wrong password is refused; who is known here is not asked about there."""
    assert LOGIN_REFUSED in refusal(dial(broker), plain("carol", "wrong"))
    asked = len(service.asked)
    channel(broker, "guest", "guest").connection.close()

    assert 1 == asked == len(service.asked)


def test_a_service_that_fails(broker: BrokerProcess, service: Service, dial: Dial) -> None:
    """No answer is a refusal, which is not remembered."""
    carol = channel(broker)
    service.status = 500
    with pytest.raises(ChannelClosedByBroker, match="ACCESS_REFUSED"):
        carol.queue_declare("q")
    assert LOGIN_REFUSED in refusal(dial(broker), plain("carol", "secret"))
    service.status = 200
    carol.connection.channel().queue_declare("q", exclusive=True)
    carol.connection.close()

    assert "no answer from the HTTP backend" in broker.stderr
    assert "secret" not in broker.stderr


def test_a_refused_virtual_host(broker: BrokerProcess, service: Service, dial: Dial) -> None:
    """530, as for any user without permission."""
    rule = service.rule
    service.rule = lambda subject, question: "deny" if subject == "vhost" else rule(subject, question)
    text = refusal(dial(broker), plain("carol", "secret"))

    assert text == "NOT_ALLOWED - access to vhost '/' refused for user 'carol'"


def test_others_go_on_meanwhile(broker: BrokerProcess, service: Service) -> None:
    """A slow answer stops nobody but the one whom it concerns."""
    carol = channel(broker)
    rule, slow, asked = service.rule, threading.Event(), threading.Event()

    def wait(subject: str, question: dict[str, str]) -> str:
        asked.set()
        slow.wait(10)
        return rule(subject, question)

    service.rule = wait
    connection = carol.connection
    carol.basic_publish("amq.fanout", "", b"")
    connection.process_data_events(0)
    asked.wait(10)
    guest = channel(broker, "guest", "guest")
    guest.queue_declare("others", exclusive=True)
    slow.set()
    carol.queue_declare("mine", exclusive=True)
    guest.connection.close()
    connection.close()


def test_permissions_expire(start_broker: Callable[..., BrokerProcess], service: Service) -> None:
    """A publisher who may no more is stopped when the permission has to be asked for again."""
    broker = start_broker("--auth-backends", "http", *service.options, "--auth-http-cache", "0.2")
    carol = channel(broker)
    carol.confirm_delivery()
    carol.basic_publish("amq.fanout", "", b"")
    service.rule = lambda *_: "deny"
    with pytest.raises(ChannelClosedByBroker, match=r"write access to exchange 'amq\.fanout'"):
        publish_for_long(carol)
    carol.connection.close()


def publish_for_long(carol: BlockingChannel) -> None:
    """Until it fails, but not for ever."""
    for _ in range(100):
        carol.basic_publish("amq.fanout", "", b"")
        carol.connection.process_data_events(0.05)


def test_urls_are_needed(start_broker: Callable[..., BrokerProcess]) -> None:
    """A broker that could not ask does not start."""
    with pytest.raises(RuntimeError, match="the HTTP backend needs auth-http-user-path"):
        start_broker("--auth-backends", "http")
