"""Limits, parameters and the default queue type."""

import pytest

from amqpd.broker import administration, governance, operations, parameters
from amqpd.broker.connections import ConnectionInfo
from amqpd.broker.profile import Profile
from amqpd.broker.session import Session
from amqpd.broker.terms import Invalid
from amqpd.errors import NotAllowed, PreconditionFailed
from helpers.core import Core, declare


class Connected(ConnectionInfo):
    """A connection that says how many channels it has."""

    def __init__(self, core: Core, channels: int = 0) -> None:
        super().__init__({})
        self.user, self.vhost = "guest", "/"
        self._sessions = {number: core.channel().session for number in range(channels)}
        core.broker.connections.add(self)

    def sessions(self) -> dict[int, Session]:
        """See `ConnectionInfo.sessions`."""
        return self._sessions


# --- limits ------------------------------------------------------------------------------------------------------------


def test_queue_limit() -> None:
    """One queue too many is refused before anything else about it is looked at; those that exist stay."""
    core = Core()
    declare(core, "old")
    governance.set_vhost_limits(core.broker, core.vhost, {"max-queues": 1})
    with pytest.raises(PreconditionFailed) as refused:
        declare(core, "new", x_max_length="nonsense")

    assert "cannot declare queue 'new': queue limit in vhost '/' (1) is reached" == refused.value.explanation
    assert "old" == declare(core, "old").name
    governance.set_vhost_limits(core.broker, core.vhost, {"max-queues": -1})
    assert "new" == declare(core, "new").name


def test_connection_limit_of_a_virtual_host() -> None:
    """The connection that would be one too many is refused."""
    core = Core()
    governance.set_vhost_limits(core.broker, core.vhost, {"max-connections": 1})
    core.client()
    Connected(core)
    with pytest.raises(NotAllowed) as refused:
        core.client()

    assert "access to vhost '/' refused for user 'guest': connection limit (1) is reached" == refused.value.explanation


def test_connection_limit_of_a_user() -> None:
    """0 keeps the user out."""
    core = Core()
    governance.set_user_limits(core.broker, "guest", {"max-connections": 0})
    with pytest.raises(NotAllowed) as refused:
        core.client()

    assert "connection refused for user 'guest': user connection limit (0) is reached" == refused.value.explanation


def test_channel_limit_of_a_user() -> None:
    """The channels of all the user's connections count."""
    core = Core()
    Connected(core, channels=1)
    Connected(core, channels=2)
    governance.set_user_limits(core.broker, "guest", {"max-channels": 4})
    core.broker.check_channels("guest")
    governance.set_user_limits(core.broker, "guest", {"max-channels": 3})
    with pytest.raises(NotAllowed) as refused:
        core.broker.check_channels("guest")

    text = "number of channels opened for user 'guest' has reached the maximum allowed user limit of (3)"
    assert text == refused.value.explanation


def test_limits_survive_a_restart() -> None:
    """As they were set; lifted ones are gone."""
    core = Core()
    governance.set_vhost_limits(core.broker, core.vhost, {"max-queues": 7, "max-connections": -1})
    governance.set_user_limits(core.broker, "guest", {"max-channels": 5})
    core.commit()
    core = core.restart()

    assert {"max-queues": 7, "max-connections": -1} == core.vhost.quota.limits
    assert {"max-channels": 5} == governance.user_limits(core.broker, "guest")
    governance.set_vhost_limits(core.broker, core.vhost, {})
    administration.delete_user(core.broker, core.broker.users.by_name["guest"])
    core.commit()
    core = core.restart()
    assert ({}, {}) == (core.vhost.quota.limits, governance.user_limits(core.broker, "guest"))


def test_refused_limits() -> None:
    """RabbitMQ's words, which differ between virtual hosts and users."""
    core = Core()
    with pytest.raises(Invalid) as of_vhost:
        governance.set_vhost_limits(core.broker, core.vhost, {"max-queues": "5", "foo": 1})
    with pytest.raises(Invalid) as of_user:
        governance.set_user_limits(core.broker, "guest", {"max-queues": 1})

    problems = 'max-queues should be a number, actually was <<"5">>\nUnrecognised terms [{<<"foo">>,1}] in limits\n'
    assert f"Validation failed\n\n{problems}" == str(of_vhost.value)
    assert 'Unrecognised terms [{<<"max-queues">>,1}] in user-limits' == str(of_user.value)


# --- parameters --------------------------------------------------------------------------------------------------------


def test_limits_are_a_parameter() -> None:
    """Of the component vhost-limits, under the name `limits`."""
    core = Core()
    assert parameters.set_parameter(core.broker, core.vhost, "vhost-limits", "limits", {"max-queues": 4})
    (found,) = parameters.parameters_of(core.vhost)

    assert ("vhost-limits", "/", "limits", {"max-queues": 4}) == (found.component, found.vhost, found.name, found.value)
    assert parameters.clear_parameter(core.broker, core.vhost, "vhost-limits", "limits")
    assert not parameters.clear_parameter(core.broker, core.vhost, "vhost-limits", "limits")
    assert {} == core.vhost.quota.limits


def test_operator_policies_are_parameters() -> None:
    """Set in one way and seen in the other."""
    core = Core()
    value = {"pattern": "^q", "definition": {"max-length": 5}, "priority": 1, "apply-to": "queues"}
    assert parameters.set_parameter(core.broker, core.vhost, "operator_policy", "o", value)
    assert not parameters.set_parameter(core.broker, core.vhost, "operator_policy", "o", value)
    found = parameters.find_parameter(core.vhost, "operator_policy", "o")

    assert found is not None
    assert value == found.value
    assert 5 == declare(core, "q").limits.max_length
    assert parameters.clear_parameter(core.broker, core.vhost, "operator_policy", "o")
    assert {} == core.vhost.operator_policies.by_name


@pytest.mark.parametrize(
    ("component", "value", "text"),
    [
        ("policy", {}, "policies may not be set using this method"),
        ("shovel", {}, "Validation failed\n\ncomponent shovel not found\n"),
        ("operator_policy", {"pattern": "", "definition": {}}, 'Validation failed\n\nKey "priority" not found in n\n'),
        ("operator_policy", 5, "Validation failed\n\nn should be a dictionary, actually was 5\n"),
        ("vhost-limits", 5, "Validation failed\n\nlimits should be a dictionary, actually was 5\n"),
    ],
)
def test_refused_parameters(component: str, value: object, text: str) -> None:
    """RabbitMQ's words; there are no components whose parameters would have no effect."""
    core = Core()
    with pytest.raises(Invalid) as refused:
        parameters.set_parameter(core.broker, core.vhost, component, "n", value)

    assert text == str(refused.value)


def test_global_parameters() -> None:
    """Any JSON under a name, also after a restart."""
    core = Core()
    assert governance.set_global_parameter(core.broker, "a", {"x": [1]})
    assert not governance.set_global_parameter(core.broker, "a", None)
    assert governance.set_global_parameter(core.broker, "b", 5)
    assert governance.clear_global_parameter(core.broker, "b")
    assert not governance.clear_global_parameter(core.broker, "b")
    core.commit()

    assert {"a": None} == core.restart().broker.global_parameters


# --- default queue type ------------------------------------------------------------------------------------------------


def with_default_type(queue_type: str) -> Core:
    """A core whose virtual host has a default queue type."""
    core = Core()
    profile = Profile()
    profile.default_queue_type = queue_type
    administration.save_profile(core.broker, core.vhost, profile)
    return core


def test_default_queue_type() -> None:
    """A durable queue without a type gets it as an argument, also after a restart; others stay classic."""
    core = with_default_type("quorum")
    queue = declare(core, "q")

    assert ("quorum", {"x-queue-type": "quorum"}) == (queue.arguments.type, queue.arguments.values())
    assert "classic" == declare(core, "named", x_queue_type="classic").arguments.type
    assert {} == declare(core, "t", durable=False).arguments.values()
    assert {} == declare(core, "a", auto_delete=True).arguments.values()
    exclusive = operations.declare_queue(core.client(), core.vhost, "e", True, True, False, b"")
    assert "classic" == exclusive.arguments.type
    core.commit()
    assert "quorum" == declare(core.restart(), "later").arguments.type


def test_a_declaration_without_a_type_means_the_queue_that_exists() -> None:
    """Where there is a default, a change of it breaks nobody's redeclarations."""
    core = with_default_type("quorum")
    queue = declare(core, "q")
    core.vhost.default_queue_type = "classic"
    assert queue is declare(core, "q")
    core.vhost.default_queue_type = ""
    with pytest.raises(PreconditionFailed, match="inequivalent arg 'x-queue-type'"):
        declare(core, "q")
