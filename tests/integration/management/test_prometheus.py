"""Metrics over HTTP."""

import gzip
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from pika.adapters.blocking_connection import BlockingChannel
from prometheus_client.parser import text_string_to_metric_families

from helpers.api import Api

GROUPS = (
    "queue_coarse_metrics", "queue_metrics", "queue_delivery_metrics", "queue_consumer_count", "channel_metrics",
    "connection_coarse_metrics", "connection_metrics", "channel_process_metrics", "vhost_status", "auth_attempt_metrics",
)  # fmt: skip


@pytest.fixture
def metrics(api: Api) -> str:
    """Where metrics are served, as the API tells it."""
    overview = api.get("/api/overview")
    if "amqpd_version" not in overview:
        pytest.skip("RabbitMQ's metrics are those of its version")
    doors = [door for door in overview["listeners"] if door["protocol"] == "http/prometheus"]
    return f"http://127.0.0.1:{doors[0]['port']}/metrics"


def fetch(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as response:  # noqa: S310
            return response.status, dict(response.headers), response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def samples(url: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    status, _, body = fetch(url)
    assert 200 == status, body
    families = text_string_to_metric_families(body.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_a_dashboard_finds_what_it_joins_with(metrics: str) -> None:
    """Every endpoint says who it is, without a login."""
    for path in ("", "/per-object", "/detailed", "/memory-breakdown"):
        names = {name[0] for name in samples(metrics + path)}
        assert {"rabbitmq_identity_info", *({"rabbitmq_build_info"} & names)} <= names


def test_messages_are_counted(metrics: str, channel: BlockingChannel, unique_name: str) -> None:
    """From publish to acknowledgement."""
    before = samples(metrics)
    channel.queue_declare(unique_name, auto_delete=True)
    channel.confirm_delivery()
    for _ in range(4):
        channel.basic_publish("", unique_name, b"x")
    for method, _, _ in channel.consume(unique_name):
        assert method is not None
        channel.basic_ack(method.delivery_tag)
        if method.delivery_tag == 3:
            break
    own = samples(metrics + "/per-object")
    assert 4 == own[("rabbitmq_queue_messages_published_total", "/", unique_name)]
    assert 4 == own[("rabbitmq_queue_messages_delivered_ack_total", "/", unique_name)]
    channel.cancel()
    after = samples(metrics)
    queue_type = ("amqp091", "rabbit_classic_queue")
    for name in ("received", "received_confirm", "confirmed"):
        counter = (f"rabbitmq_global_messages_{name}_total", "amqp091")
        assert after[counter] >= before[counter] + 4
    for name, least in (("delivered", 4), ("delivered_consume_manual_ack", 4), ("acknowledged", 3)):
        by_type = (f"rabbitmq_global_messages_{name}_total", *queue_type)
        assert after[by_type] >= before[by_type] + least
    for name in ("queues_created", "queues_deleted", "queues_declared"):
        alone = (f"rabbitmq_{name}_total",)
        assert after[alone] >= before[alone] + 1


@pytest.mark.usefixtures("queue")
def test_families_are_chosen_by_query(metrics: str, unique_name: str) -> None:
    """So are virtual hosts and queues; what is not chosen is not there."""
    pattern = quote(unique_name, safe="")
    found = samples(f"{metrics}/detailed?family=queue_coarse_metrics&vhost=%2F&queue={pattern}")
    lengths = {name for name in found if not name[0].endswith("_info")}
    assert {(f"rabbitmq_detailed_queue_messages{suffix}", "/", unique_name) for suffix in ("", "_ready", "_unacked")} == lengths


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/unknown", 404, b"Unknown Registry"),
        ("/detailed?queue=(", 400, b"Invalid 'queue' regex at position 0"),
        ("/detailed?queue=a&queue=b", 400, b"'queue' may be given once"),
        (f"/detailed?queue={'a' * 2000}", 400, b"'queue' regex too long"),
    ],
)
def test_what_makes_no_sense_is_refused(metrics: str, path: str, status: int, reason: bytes) -> None:
    """With a reason."""
    found = fetch(metrics + path)
    assert (status, True) == (found[0], found[2].startswith(reason))


def test_an_answer_is_compressed_if_that_is_wanted(metrics: str) -> None:
    """As Prometheus asks for it."""
    _, headers, body = fetch(metrics, **{"Accept-Encoding": "gzip"})
    assert ("gzip", True) == (headers["Content-Encoding"], gzip.decompress(body).startswith(b"# HELP rabbitmq_"))
    assert "text/plain; version=0.0.4; charset=utf-8" == headers["Content-Type"]


def test_a_busy_broker_is_parsed(metrics: str, channel: BlockingChannel, unique_name: str) -> None:
    """Whatever names hold: each sample stands once, and belongs to a family of its name that has a type and a help text."""
    names = [f'{unique_name} "quoted" \\back\\slash {{braces}}, comma=', f"{unique_name} é 漢 😀 \x7f\x01"]
    for name in names:
        channel.queue_declare(name, auto_delete=True)
        channel.basic_consume(name, lambda *_: None)
        channel.basic_publish("", name, b"x")
    query = "&".join(f"family={group}" for group in GROUPS)
    for path in ("", "/per-object", f"/detailed?{query}", "/memory-breakdown"):
        text = fetch(metrics + path)[2].decode()
        found = list(text_string_to_metric_families(text))
        assert [] == [family.name for family in found if family.type == "unknown" and not family.documentation]
        keys = [(sample.name, str(sorted(sample.labels.items()))) for family in found for sample in family.samples]
        assert len(keys) == len(set(keys))
        assert len(keys) == sum(1 for line in text.splitlines() if line and not line.startswith("#"))
        if path.startswith(("/per", "/detailed")):
            assert set(names) <= {sample.labels.get("queue") for family in found for sample in family.samples}
    for name in names:
        channel.queue_delete(name)


def test_publishing_over_http_leaves_no_channel(api: Api, metrics: str) -> None:
    """A message that is published over HTTP is counted, and what published it is gone afterwards."""
    before = samples(metrics)
    body = {"routing_key": "nowhere", "properties": {}, "payload": "", "payload_encoding": "string"}
    for _ in range(3):
        assert {"routed": False} == api.post("/api/exchanges/%2F/amq.direct/publish", body)
    after = samples(metrics)
    opened, closed = ("rabbitmq_channels_opened_total",), ("rabbitmq_channels_closed_total",)
    assert after[opened] - after[closed] == before[opened] - before[closed]
    received = ("rabbitmq_global_messages_received_total", "amqp091")
    assert after[received] >= before[received] + 3
