"""Field tables: whatever can be written comes back, and whatever comes in is read or refused."""

import struct
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from amqpd.errors import BadSyntax
from amqpd.wire import tables
from amqpd.wire.tables import Timestamp

NAMES = st.text(max_size=20)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=30),
    st.binary(max_size=30),
    st.builds(Timestamp, st.integers(0, 2**64 - 1)),
    st.builds(lambda number, scale: Decimal(number).scaleb(-scale), st.integers(-(2**31), 2**31 - 1), st.integers(0, 255)),
)
VALUES = st.recursive(
    SCALARS, lambda values: st.one_of(st.lists(values, max_size=4), st.dictionaries(NAMES, values, max_size=4)), max_leaves=12
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=6)


@given(TABLES)
def test_tables_come_back(table: dict[str, object]) -> None:
    """Decode is the inverse of encode, type by type."""
    found = tables.decode(tables.encode(table))

    assert table == found
    assert repr(table) == repr(found)


@given(TABLES, NAMES)
def test_without_is_a_deletion(table: dict[str, object], name: str) -> None:
    """The table less one name is the encoded rest."""
    name = next(iter(table), name)

    assert tables.encode({key: value for key, value in table.items() if key != name}) == tables.without(
        tables.encode(table), name
    )


@given(TABLES, st.data())
def test_damage_is_a_syntax_error_or_another_table(table: dict[str, object], data: st.DataObject) -> None:
    """Truncated and changed tables are read, or refused with BadSyntax, and never anything else."""
    encoded = bytearray(tables.encode(table))
    if encoded:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    _read(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    """Nothing but BadSyntax comes of arbitrary octets; what is read can be written and read again."""
    _read(octets)


def _read(octets: bytes) -> None:
    try:
        found = tables.decode(octets)
    except BadSyntax:
        return
    assert repr(found) == repr(tables.decode(tables.encode(found)))


@given(st.integers(-(2**31), 2**31 - 1), st.integers(0, 255))
def test_decimals_keep_their_scale(number: int, scale: int) -> None:
    """1.50 is not 1.5 on the wire."""
    table = b"\x01nD" + struct.pack(">Bi", scale, number)

    assert table == tables.encode(tables.decode(table))
