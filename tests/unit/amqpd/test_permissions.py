import pytest

from amqpd.broker.permissions import CACHED_ANSWERS, CONFIGURE, READ, WRITE, Access, Permission, TopicPermission


@pytest.mark.parametrize(
    ("expression", "name", "expected"),
    [
        (".*", "orders", True),
        ("orders", "my-orders-2", True),
        ("^orders$", "orders", True),
        ("^orders$", "orders-2", False),
        ("^(amq\\.gen.*|amq\\.default)$", "", True),
        ("^amq\\.default$", "amq.direct", False),
        ("", "orders", False),
        ("", "", False),
        ("größe", "größe", True),
    ],
)
def test_expression_is_searched_in_the_name(expression: str, name: str, expected: bool) -> None:
    """Expressions are not anchored; an empty one allows nothing; the default exchange is called amq.default."""
    assert expected is Permission(expression, "", "").allows(CONFIGURE, name)


def test_kinds_are_separate() -> None:
    """Each kind of permission has an expression of its own."""
    access = Access("guest", "/", Permission("^c", "^w", "^r"))
    names = ["c1", "w1", "r1"]
    assert [True, False, False] == [access.can(CONFIGURE, name) for name in names]
    assert [False, True, False] == [access.can(WRITE, name) for name in names]
    assert [False, False, True] == [access.can(READ, name) for name in names]


def test_answers_stay_right_when_more_are_asked_than_remembered() -> None:
    """Asking about many names neither changes an answer nor remembers without bound."""
    access = Access("guest", "/", Permission("", "7$", ""))
    names = [f"queue-{number}" for number in range(3 * CACHED_ANSWERS)]
    for _ in range(2):
        assert [name.endswith("7") for name in names] == [access.can(WRITE, name) for name in names]
    assert len(access._answers) <= CACHED_ANSWERS


@pytest.mark.parametrize("kind", [CONFIGURE, WRITE, READ])
def test_broken_expression_is_refused_when_set(kind: str) -> None:
    """An expression that is none is refused at once, with its kind and the reason."""
    expressions = dict.fromkeys((CONFIGURE, WRITE, READ), ".*") | {kind: "["}
    with pytest.raises(ValueError, match=f"{kind}: '\\[' is not a regular expression: unterminated character set"):
        Permission(expressions[CONFIGURE], expressions[WRITE], expressions[READ])


def test_expressions_are_kept_as_they_came() -> None:
    """What was set can be listed again."""
    permission = Permission("", ".*", "a|b")
    assert ("", ".*", "a|b") == (permission.configure, permission.write, permission.read)


@pytest.mark.parametrize(
    ("expression", "routing_key", "expected"),
    [
        ("^a", "a.b", True),
        ("^a", "b.a", False),
        ("", "", True),
        ("", "a", False),
        ("^{username}-", "a.lice-1", True),
        ("^{username}-", "axlice-1", False),
        ("^{vhost}$", "/", True),
        ("^{client_id}$", "{client_id}", True),
        ("[b-{username}]", "a", False),
    ],
)
def test_routing_keys_at_a_topic_exchange(expression: str, routing_key: str, expected: bool) -> None:
    """The names that stand for variables mean themselves; what they spoil allows nothing."""
    access = Access("a.lice", "/", Permission("", "", ""), {"x": TopicPermission(expression, "")})
    assert [expected] * 2 == [access.can_route(WRITE, "x", routing_key) for _ in range(2)]
    assert access.can_route(READ, "other", "anything")
    assert (routing_key == "") is access.can_route(READ, "x", routing_key)
