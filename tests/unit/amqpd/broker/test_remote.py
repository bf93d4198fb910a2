from collections.abc import Callable

import pytest

from amqpd.broker import operations
from amqpd.broker.answers import RESOURCE, TOPIC, USER, VHOST, Answers
from amqpd.broker.authority import Credentials
from amqpd.broker.client import Client
from amqpd.broker.permissions import QUEUE, READ, WRITE, Access
from amqpd.broker.remote import Remote, RemoteUser
from amqpd.broker.users import User
from amqpd.errors import AccessRefused, Undecided
from helpers.core import Core

ALICE = Credentials("alice", "secret", "10.0.0.1")


class Asked:
    """Answers as they come; None leaves a question open."""

    def __init__(self, **answers: str) -> None:
        self.answers = Answers()
        self.known = answers
        self.questions: list[Undecided] = []

    def settle(self, question: Undecided) -> None:
        """Note what the backend says."""
        self.questions.append(question)
        self.answers.note(question, self.known[question.subject])

    def login(self, credentials: Credentials = ALICE) -> User | str:
        """Log in, asking what has to be asked."""
        with pytest.raises(Undecided) as found:
            Remote().login(credentials, self.answers)
        self.settle(found.value)
        return Remote().login(credentials, self.answers)

    def enter(self) -> Access:
        """Log in and open the default virtual host."""
        user = self.login()
        assert isinstance(user, RemoteUser)
        with pytest.raises(Undecided) as found:
            user.access("/")
        self.settle(found.value)
        access = user.access("/")
        assert access is not None
        return access


def test_login() -> None:
    """The service is told name and password, and answers with tags."""
    asked = Asked(user="allow monitoring impersonator")
    user = asked.login()

    assert isinstance(user, User)
    assert ("alice", ("monitoring", "impersonator")) == (user.name, user.tags)
    assert (USER, (("username", "alice"), ("password", "secret"))) == (
        asked.questions[0].subject,
        asked.questions[0].parameters,
    )


@pytest.mark.parametrize("answer", ["deny", "deny blocked", "allowed", "", "error"])
def test_refused_login(answer: str) -> None:
    """Anything but allow is a refusal, whose reason is for the log."""
    assert str(Asked(user=answer).login()).startswith("user 'alice' - denied by the HTTP backend")


def test_blank_passwords_are_not_even_asked_about() -> None:
    """They are refused always (1.12)."""
    assert Remote().login(Credentials("alice", "", ""), Answers()) == "user 'alice' - blank password"


def test_a_proven_identity_needs_no_password() -> None:
    """As with a client certificate."""
    asked = Asked(user="allow")
    asked.login(Credentials("alice", None, ""))

    assert (("username", "alice"),) == asked.questions[0].parameters


def test_virtual_host() -> None:
    """The service is told where the user comes from and which tags it gave him."""
    asked = Asked(user="allow a b", vhost="allow")
    asked.enter()

    assert VHOST == asked.questions[1].subject
    assert {"username": "alice", "vhost": "/", "ip": "10.0.0.1", "tags": "a b"} == dict(asked.questions[1].parameters)


def test_refused_virtual_host() -> None:
    """Then there is no access."""
    asked = Asked(user="allow", vhost="deny")
    user = asked.login()
    assert isinstance(user, User)
    with pytest.raises(Undecided) as found:
        user.access("/")
    asked.settle(found.value)

    assert user.access("/") is None


def test_resources_and_topics() -> None:
    """Queues, exchanges and routing keys are asked about by name; the default exchange is amq.default."""
    access = Asked(user="allow", vhost="allow").enter()
    calls: list[Callable[[], bool]] = [
        lambda: access.can(READ, "q", QUEUE),
        lambda: access.can(WRITE, ""),
        lambda: access.can_route(WRITE, "amq.topic", "a.b"),
    ]
    questions = []
    for call in calls:
        with pytest.raises(Undecided) as found:
            call()
        questions.append((found.value.subject, dict(found.value.parameters)))
    who = {"username": "alice", "vhost": "/", "tags": ""}
    variables = {"variable_map.username": "alice", "variable_map.vhost": "/"}

    assert [
        (RESOURCE, {**who, "resource": "queue", "name": "q", "permission": "read"}),
        (RESOURCE, {**who, "resource": "exchange", "name": "amq.default", "permission": "write"}),
        (TOPIC, {**who, **variables, "resource": "topic", "name": "amq.topic", "permission": "write", "routing_key": "a.b"}),
    ] == questions


def test_permission_is_remembered_until_it_expires_and_refusal_is_not() -> None:
    """A refused command asks anew, an allowed one does not."""
    asked = Asked(user="allow", vhost="allow", resource="allow")
    access = asked.enter()
    answers: list[bool | str] = []

    def ask() -> None:
        try:
            answers.append(access.can(WRITE, "x"))
        except Undecided as question:
            answers.append("asked")
            asked.settle(question)

    for _ in range(3):
        ask()
    asked.answers.expire()
    asked.known["resource"] = "deny"
    for _ in range(3):
        ask()

    assert ["asked", True, True, "asked", False, "asked"] == answers


def test_the_name_that_a_queue_is_given_stays_while_it_is_asked_about() -> None:
    """Else every answer would be about a name that nobody wants any more."""
    core = Core()
    asked = Asked(user="allow", vhost="allow", resource="allow")
    client = Client("alice", "/", asked.enter(), False, True)
    with pytest.raises(Undecided) as found:
        operations.declare_queue(client, core.vhost, "", False, False, False, b"")
    asked.settle(found.value)
    first = operations.declare_queue(client, core.vhost, "", False, False, False, b"").name

    assert dict(found.value.parameters)["name"] == first
    with pytest.raises(Undecided) as found:
        operations.declare_queue(client, core.vhost, "", False, False, False, b"")
    assert dict(found.value.parameters)["name"] != first


def test_a_refused_command() -> None:
    """Its words are those of any other refusal."""
    core = Core()
    asked = Asked(user="allow", vhost="allow", resource="deny")
    client = Client("alice", "/", asked.enter(), False, True)
    with pytest.raises(Undecided) as found:
        operations.delete_queue(client, core.vhost, "q", False, False)
    asked.settle(found.value)
    with pytest.raises(AccessRefused, match=r"access to queue 'q' in vhost '/' refused for user 'alice'"):
        operations.delete_queue(client, core.vhost, "q", False, False)
