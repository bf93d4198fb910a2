import pytest

from amqpd.protocol.output import Output


def test_pieces_are_joined_in_order() -> None:
    """What was added comes out once, in order."""
    output = Output([])
    output.add(b"ab")
    output.extend([b"c", b"", b"de"])

    assert output.size == len(b"abcde")
    assert output.take() == b"abcde"
    assert b"" == output.take()
    assert output.size == 0


def test_an_output_enlists_once() -> None:
    """It is dirty from its first piece until it is taken, and again after."""
    dirty: list[Output] = []
    output = Output(dirty)
    output.add(b"a")
    output.add(b"b")
    assert [output] == dirty

    output.take()
    output.add(b"c")
    assert [output, output] == dirty


def test_writing_is_the_owners_business() -> None:
    """A plain output can only be taken."""
    with pytest.raises(NotImplementedError):
        Output([]).flush()
