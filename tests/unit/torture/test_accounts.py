import pytest
from torture.accounts import Account

from helpers.fates import Id


def test_what_is_published_is_owed_until_it_is_settled() -> None:
    """Each message once, in whatever order it is read."""
    account = Account("q", 3)
    messages = account.publish(2) + account.publish(1)
    assert [Id(3, 1), Id(3, 2), Id(3, 3)] == messages
    account.settle(messages[2].body(30), redelivered=False)
    assert (2, 1) == (account.owed, account.settled)


def test_a_second_delivery_must_be_a_redelivery() -> None:
    """An acknowledgement may be lost with its connection; a message that comes twice as a new one was doubled."""
    account = Account("q", 3)
    (message,) = account.publish(1)
    account.settle(message.body(30), redelivered=False)
    account.settle(message.body(30), redelivered=True)
    assert (0, 1) == (account.owed, account.settled)
    with pytest.raises(AssertionError, match="came twice"):
        account.settle(message.body(30), redelivered=False)


def test_messages_of_others_and_damaged_ones_are_refused() -> None:
    """A message says whose it is, and how long."""
    account = Account("q", 3)
    account.publish(1)
    with pytest.raises(AssertionError, match="another queue's"):
        account.settle(Id(4, 1).body(30), redelivered=False)
    with pytest.raises(AssertionError):
        account.settle(Id(3, 1).body(30)[:-1], redelivered=False)
