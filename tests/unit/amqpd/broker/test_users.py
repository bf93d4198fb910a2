import pytest

from amqpd.broker import administration
from amqpd.broker.users import User
from amqpd.errors import NotAllowed
from helpers.core import Core


def test_login() -> None:
    """With the right password the user, else a reason for the log."""
    core = Core()
    alice = core.broker.add_user("alice", "secret", ())
    login = core.broker.users.login

    assert alice is login("alice", "secret", False)
    for name, password in (("alice", "wrong"), ("alice", ""), ("bob", "secret"), ("", "")):
        assert login(name, password, True) == f"user '{name}' - invalid credentials"


def test_guest_comes_from_this_machine_only() -> None:
    """Everybody knows that password (1.12)."""
    core = Core()

    assert isinstance(core.broker.users.login("guest", "guest", True), User)
    assert core.broker.users.login("guest", "guest", False) == "user 'guest' can only connect via localhost"


def test_entering_a_virtual_host() -> None:
    """It has to exist, and to admit the user (2.3)."""
    core = Core()
    alice = core.broker.add_user("alice", "secret", ())
    with pytest.raises(NotAllowed, match="vhost nowhere not found"):
        core.broker.enter(alice, "nowhere", False)
    with pytest.raises(NotAllowed, match="access to vhost '/' refused for user 'alice'"):
        core.broker.enter(alice, "/", False)
    core.broker.set_permission(alice, "/", "", "", "")

    assert core.broker.enter(alice, "/", True).user == "alice"


def test_a_bad_expression_is_refused() -> None:
    """And nothing of it is kept."""
    core = Core()
    alice = core.broker.add_user("alice", "secret", ())
    with pytest.raises(ValueError, match="not a regular expression"):
        core.broker.set_permission(alice, "/", "(", "", "")

    assert {} == alice.permissions


def test_a_tag_does_not_become_two() -> None:
    """Tags are kept with commas between them: one with a comma in it would make an administrator at the next start."""
    core = Core()
    with pytest.raises(ValueError, match="comma"):
        core.broker.add_user("alice", "secret", ("a,administrator",))
    with pytest.raises(ValueError, match="comma"):
        administration.save_user(core.broker, "alice", "", "", ("a,administrator",))

    assert ["guest"] == list(core.broker.users.by_name)
