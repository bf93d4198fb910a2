"""The proof of the suite: cases fail when a proxy corrupts the broker's last word."""

import json

import pytest

from conformance.catalogue import Area, load
from conformance.cli import run_parser
from conformance.mutation.corruption import intrude, refuse, twist
from conformance.mutation.proof import PROVEN, SURVIVED, UNJUDGED, Proof
from conformance.mutation.web import contradict, distort
from conformance.target import Target
from conformance.wire.content import Header
from conformance.wire.frames import BODY, HEADER, METHOD, Frame
from conformance.wire.methods import decode_method, encode_method
from helpers.broker import Broker

CASES = {case.id: case for case in load()}
SAMPLE = [
    "ack",
    "ack.multiple",
    "ack.multiple.zero",
    "alternate.chain",
    "alternate.unroutable",
    "cancel",
    "cancel.by-server",
    "channel.error.reuse",
    "channel.open",
    "channel.open.twice",
    "confirm.every-one",
    "confirm.nack.full",
    "confirm.return-first",
    "connection.start.version",
    "connection.update-secret",
    "consume.no-ack",
    "consume.priority",
    "consume.round-robin",
    "consume.tag.reuse",
    "content.interleaved-channels",
    "dead-letter.count",
    "dead-letter.x-death",
    "direct.match.equal",
    "direct.match.longer",
    "exchange.bind.chain",
    "exchange.declare.reserved.amq.mine",
    "exchange.delete.if-unused.bound",
    "exchange.redeclare.text",
    "fanout.all-queues",
    "framing.empty-body",
    "get.empty",
    "get.message-count",
    "headers.match.any:-one-of-two",
    "http.permission",
    "login.PLAIN",
    "max-length.2",
    "overflow.reject-publish",
    "priority.order",
    "property.all",
    "publish.mandatory.unroutable",
    "qos.limit.3",
    "qos.global",
    "queue.declare.passive",
    "queue.delete",
    "queue.exclusive.locked.basic.get",
    "queue.last-declared.basic.get",
    "queue.purge",
    "recover.requeue",
    "reject.drop",
    "reply-to",
    "requeue.position",
    "routing.bcc",
    "settle.twice.basic.ack",
    "single-active.next",
    "table.field.F",
    "topic.match.#.b",
    "topic.mismatch.a.*",
    "ttl.message",
    "tx.ack.commit",
    "tx.publish.rollback",
    "writes.merged",
]


@pytest.fixture(scope="module")
def proof(broker: Broker) -> Proof:
    """What runs cases through proxies before the broker."""
    arguments = ["--url", f"amqp://127.0.0.1:{broker.port}", "--http-url", broker.http_url, "--timeout", "1"]
    return Proof(Target(run_parser().parse_args(arguments)))


@pytest.mark.parametrize("id", SAMPLE)
def test_cases_fail_when_the_broker_lies(proof: Proof, id: str) -> None:
    """A case that passes must fail when the last that it was told was a lie."""
    assert PROVEN == proof.verdict(CASES[id])


def test_a_case_that_asserts_nothing_survives(proof: Proof) -> None:
    """One that passes whatever the broker says is told from one that does not pass without a lie."""
    area = Area("mutated", "Mutated")
    area.case("mutated.idle", "nothing", "none")(lambda broker: broker.dial())
    area.case("mutated.broken", "nothing", "none")(lambda broker: broker.channel().call("basic.get", queue="absent"))
    assert [SURVIVED, UNJUDGED] == [proof.verdict(case) for case in area.cases]


def test_twisted_methods_have_other_arguments() -> None:
    """Every argument of a twisted method differs from the original."""
    original = {"delivery_tag": 1, "exchange": "x", "routing_key": "k", "redelivered": False, "consumer_tag": "c"}
    (lie,) = twist(Frame(METHOD, 1, encode_method("basic.deliver", original)))
    assert all(getattr(decode_method(lie.payload), name) != value for name, value in original.items())


def test_intrusion_comes_first() -> None:
    """Ghost messages are put before the method, whole."""
    frame = Frame(METHOD, 1, encode_method("channel.flow-ok", {"active": True}))
    lie = intrude(frame)
    assert [METHOD, HEADER, BODY, METHOD, HEADER, BODY, METHOD] == [part.type for part in lie]
    assert frame == lie[-1]
    assert 5 == Header(lie[1].payload).body_size


def test_refusal_is_a_close_of_the_same_channel() -> None:
    """A refused method becomes channel.close, on channel 0 connection.close."""
    found = [decode_method(refuse(Frame(METHOD, channel, b""))[0].payload).name for channel in (0, 5)]
    assert ["connection.close", "channel.close"] == found


def test_lies_over_http_change_status_or_values() -> None:
    """An error becomes a success and the other way round; or every value is another under the same name."""
    assert [500, 200] == [contradict(status, b"")[0] for status in (204, 404)]
    told = {"name": "q", "messages": 3, "durable": True, "arguments": {}, "consumers": []}
    status, body = distort(200, json.dumps(told).encode())
    lie = {"name": "corrupted q", "messages": 4, "durable": False, "arguments": {}, "consumers": ["corrupted"]}
    assert (200, lie) == (status, json.loads(body))
