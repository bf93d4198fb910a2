from amqpd.broker import patience
from amqpd.broker.patience import FAILURES, FAILURES_OF_ADDRESS, PAUSE, Patience


def test_too_many_failures_for_one_user() -> None:
    """The address has to wait for that user, not for others; other addresses need not; then all is forgotten."""
    found = Patience()
    for _ in range(FAILURES):
        assert not found.is_lost("10.0.0.1", "alice", 5)
        found.failed("10.0.0.1", "alice", 5)

    assert found.is_lost("10.0.0.1", "alice", 5 + PAUSE - 1)
    assert not found.is_lost("10.0.0.1", "bob", 5)
    assert not found.is_lost("10.0.0.2", "alice", 5)
    assert not found.is_lost("10.0.0.1", "alice", 5 + PAUSE)


def test_too_many_failures_for_many_users() -> None:
    """Trying one password after another with ever other names ends too."""
    found = Patience()
    for number in range(FAILURES_OF_ADDRESS):
        assert not found.is_lost("10.0.0.1", f"user {number}", 0)
        found.failed("10.0.0.1", f"user {number}", 0)

    assert found.is_lost("10.0.0.1", "alice", 0)


def test_rare_failures_do_not_add_up() -> None:
    """Only what happened within the pause counts."""
    found = Patience()
    for number in range(3 * FAILURES):
        found.failed("10.0.0.1", "alice", number * PAUSE)

    assert not found.is_lost("10.0.0.1", "alice", 3 * FAILURES * PAUSE)


def test_memory_is_bounded() -> None:
    """Guessing from everywhere makes it forget the oldest suspects."""
    found = Patience()
    for number in range(2 * patience.SUSPECTS):
        found.failed(f"host {number}", "alice", 0)

    assert patience.SUSPECTS == len(found._failures)


def test_all_addresses_of_a_network_are_one() -> None:
    """Who has an IPv6 network has all of its addresses; IPv4 addresses are each other's strangers, in either notation."""
    patience = Patience()
    for number in range(FAILURES):
        patience.failed(f"2001:db8::{number:x}", "alice", 0.0)
        patience.failed(f"::ffff:10.0.0.{number}", "alice", 0.0)
    hosts = ("2001:db8::ffff", "2001:db8:0:1::1", "::ffff:10.0.0.200", "fe80::1%eth0")
    assert [True, False, False, False] == [patience.is_lost(host, "alice", 0.0) for host in hosts]
