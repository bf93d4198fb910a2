import pytest

from amqpd.broker.policy_keys import merged, problem_of, suits
from amqpd.broker.terms import term

FINE = {
    "alternate-exchange": "ae",
    "dead-letter-exchange": "",
    "dead-letter-routing-key": "key",
    "dead-letter-strategy": "at-least-once",
    "message-ttl": 0,
    "expires": 1,
    "max-length": 0,
    "max-length-bytes": 10**12,
    "max-in-memory-length": 0,
    "max-in-memory-bytes": 0,
    "overflow": "reject-publish-dlx",
    "queue-mode": "lazy",
    "queue-version": 2,
    "delivery-limit": -1,
    "consumer-timeout": 0,
    "consumer-disconnected-timeout": 0,
    "max-age": "7D",
    "queue-leader-locator": "balanced",
    "queue-master-locator": "min-masters",
    "initial-cluster-size": 0,
    "target-group-size": 1,
    "stream-max-segment-size-bytes": 3_000_000_000,
    "stream-filter-size-bytes": 16,
    "delayed-retry-type": "all",
    "delayed-retry-min": 1,
    "delayed-retry-max": 1,
    "federation-upstream": "up",
    "federation-upstream-set": "all",
    "federation-upstream-pattern": "^up",
    "ha-mode": "exactly",
    "ha-whatever": 3,
}

REFUSED = [
    ({}, "no policy provided"),
    ([1], "definition must be a dictionary: [1]"),
    ({"foo": 1}, '[{<<"foo">>,1}] are not recognised policy settings'),
    ({"foo": 1, "bar": "x", "max-length": 3}, '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings'),
    ({"foo": 1, "max-length": -1}, "-1 is not a valid maximum length"),
    ({"max-length": "5"}, '<<"5">> is not a valid maximum length'),
    ({"max-length": 1.5}, "1.5 is not a valid maximum length"),
    ({"max-length": None}, "null is not a valid maximum length"),
    ({"max-length": True}, "true is not a valid maximum length"),
    ({"max-length": 2**60}, f"{2**60} is not a valid maximum length"),
    ({"max-length-bytes": -1}, "-1 is not a valid maximum length in bytes"),
    ({"message-ttl": -1}, "-1 is not a valid message TTL"),
    ({"expires": 0}, "0 is not a valid queue expiry"),
    ({"overflow": "x"}, '<<"x">> is not a valid overflow value'),
    ({"dead-letter-exchange": 1}, "1 is not a valid dead letter exchange name"),
    ({"dead-letter-exchange": "x" * 256}, f'<<"{"x" * 256}">> is not a valid dead letter exchange name'),
    ({"dead-letter-routing-key": 1}, "1 is not a valid dead letter routing key"),
    ({"dead-letter-strategy": "x"}, '<<"x">> is not a valid dead letter strategy'),
    ({"alternate-exchange": 1}, "1 is not a valid alternate exchange name"),
    ({"queue-mode": 1}, "1 is not a valid queue-mode value"),
    ({"queue-version": 3}, "3 is not a valid queue-version value"),
    ({"delivery-limit": "a"}, '<<"a">> is not a valid delivery limit'),
    ({"max-in-memory-length": -1}, "-1 is not a valid maximum memory in bytes"),
    ({"max-age": "7X"}, '<<"7X">> is not a valid max age'),
    ({"max-age": "0D"}, '<<"0D">> is not a valid max age'),
    ({"queue-leader-locator": 1}, "1 is not a valid queue leader locator value"),
    ({"queue-master-locator": "x"}, '<<"x">> invalid queue-master-locator value'),
    ({"stream-max-segment-size-bytes": 3_000_000_001}, "3000000001 is not a valid segment size"),
]

OPERATOR_KEYS = {
    "message-ttl", "expires", "max-length", "max-length-bytes", "max-in-memory-length", "max-in-memory-bytes", "overflow",
    "queue-version", "delivery-limit", "target-group-size", "delayed-retry-type", "delayed-retry-min", "delayed-retry-max",
}  # fmt: skip


@pytest.mark.parametrize("key", FINE)
def test_known_keys(key: str) -> None:
    """Every key of 1.14 is accepted with a value of its kind, and RabbitMQ 3's keys for mirrors are, too."""
    assert "" == problem_of({key: FINE[key]}, operator=False)


@pytest.mark.parametrize(("definition", "problem"), REFUSED)
def test_refused_definitions(definition: object, problem: str) -> None:
    """RabbitMQ's words for a bad definition: bad values first, then keys that nobody knows, in order of their names."""
    assert problem == problem_of(definition, operator=False)


def test_operator_policies_know_fewer_keys() -> None:
    """Those that keep queues small; the rest is unknown to them."""
    assert OPERATOR_KEYS == {key for key in FINE if problem_of({key: FINE[key]}, operator=True) == ""}


def test_text_that_utf_8_cannot_hold_is_refused() -> None:
    """Half a surrogate pair is valid JSON, but no name."""
    assert "is not a valid dead letter exchange name" in problem_of({"dead-letter-exchange": "\ud800"}, operator=False)


@pytest.mark.parametrize(
    ("key", "types"),
    [
        ("max-length", ["classic", "quorum"]),
        ("alternate-exchange", ["classic", "quorum"]),
        ("delivery-limit", ["quorum"]),
        ("dead-letter-strategy", ["quorum"]),
        ("queue-mode", ["classic"]),
        ("ha-mode", ["classic"]),
        ("queue-master-locator", ["classic"]),
        ("max-age", []),
        ("initial-cluster-size", []),
    ],
)
def test_policies_that_a_type_cannot_obey(key: str, types: list[str]) -> None:
    """One such key, and the whole policy does not apply to queues of the type."""
    definition = {key: FINE[key], "max-length": 5}

    assert types == [queue_type for queue_type in ("classic", "quorum") if suits(definition, queue_type)]


@pytest.mark.parametrize(
    ("policy", "operator", "both"),
    [
        ({"max-length": 5, "message-ttl": 7}, {"max-length": 3}, {"max-length": 3, "message-ttl": 7}),
        ({"max-length": 3}, {"max-length": 5, "expires": 9}, {"max-length": 3, "expires": 9}),
        ({"overflow": "drop-head"}, {"overflow": "reject-publish"}, {"overflow": "reject-publish"}),
        ({"delivery-limit": -1}, {"delivery-limit": 4}, {"delivery-limit": 4}),
        ({"delivery-limit": 4}, {"delivery-limit": -1}, {"delivery-limit": 4}),
        ({"queue-version": 1}, {"queue-version": 2}, {"queue-version": 2}),
    ],
)
def test_merging(policy: dict[str, object], operator: dict[str, object], both: dict[str, object]) -> None:
    """The smaller number counts, no limit being the largest, and else the operator."""
    assert both == merged(policy, operator)


def test_terms() -> None:
    """JSON as Erlang prints it."""
    assert '[<<"a">>,[{<<"b">>,null}],true,-1]' == term(["a", {"b": None}, True, -1])
