from amqpd.broker.credit import Credit
from amqpd.broker.ledger import Ledger
from helpers.core import entry


def test_tags_count_every_delivery() -> None:
    """From 1, whether or not a delivery is held (invariant 1)."""
    ledger = Ledger()

    assert [1, 2, 3] == [ledger.tag(), ledger.note(entry()), ledger.note(entry())]
    assert [2, 3] == list(ledger.unacked)


def test_credit_is_given_back_on_release() -> None:
    """Taking keeps the credit, releasing gives back the channel's and the consumer's."""
    ledger, credit = Ledger(), Credit(1)
    held = entry()
    held.credit = credit
    credit.used += 1
    tag = ledger.note(held)

    assert held is ledger.take(tag)
    assert (1, 1) == (ledger.credit.used, credit.used)
    ledger.release(held)
    assert (0, 0) == (ledger.credit.used, credit.used)


def test_credit_is_exhausted_at_its_limit() -> None:
    """0 is no limit; a lower limit holds at once."""
    credit = Credit(0)
    credit.used = 1000
    assert not credit.exhausted()
    credit.change(1000)
    assert credit.exhausted()
    credit.release()
    assert not credit.exhausted()
