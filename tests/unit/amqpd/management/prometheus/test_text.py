"""Metrics as text."""

from prometheus_client.parser import text_string_to_metric_families

from amqpd.management.prometheus.text import COUNTER, GAUGE, UNTYPED, About, family, labels


def test_what_is_written_is_what_the_library_reads() -> None:
    """Names, kinds, labels with special characters, and values survive."""
    name = 'a "quoted" \\ name\nwith two lines'
    written = family("x_", About("queue_messages", GAUGE, "Messages"), {labels(vhost="/", queue=name): 3, "": 0.25})
    (metric,) = text_string_to_metric_families(written)
    assert ("x_queue_messages", "gauge", "Messages") == (metric.name, metric.type, metric.documentation)
    assert [({"vhost": "/", "queue": name}, 3.0), ({}, 0.25)] == [(s.labels, s.value) for s in metric.samples]


def test_the_name_of_a_counter_ends_with_total_once() -> None:
    """In its head and in its samples."""
    written = family("x_", About("gets_total", COUNTER, "Gets"), {"": 1})
    assert ["# HELP x_gets_total Gets", "# TYPE x_gets_total counter", "x_gets_total 1"] == written.splitlines()


def test_an_untyped_metric_is_said_to_be_one() -> None:
    """As RabbitMQ's info metrics are."""
    assert "# TYPE x_info untyped" in family("x_", About("info", UNTYPED, "Information"), {}).splitlines()


def test_a_name_that_is_not_utf8_is_shown_all_the_same() -> None:
    """Bytes that make no character become question marks."""
    assert '{queue="caf?"}' == labels(queue="caf\udce9")
