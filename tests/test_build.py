import os
from pathlib import Path
from types import ModuleType

import pytest

import amqpd
import exchanges
import persistence
from amqpd.version import is_compiled

CHECKOUT = Path(__file__).parents[1]
EXPECTED = os.environ.get("AMQPD_EXPECT")


@pytest.mark.skipif(EXPECTED is None, reason="AMQPD_EXPECT does not say which build this is")
def test_tested_build_is_the_expected_one() -> None:
    """A run that claims to test the compiled modules (or the interpreted ones) does."""
    assert EXPECTED == ("compiled" if is_compiled() else "interpreted")


@pytest.mark.skipif(EXPECTED != "compiled", reason="only the compiled build is installed apart from the checkout")
@pytest.mark.parametrize("package", [amqpd, exchanges, persistence])
def test_compiled_run_imports_nothing_from_the_checkout(package: ModuleType) -> None:
    """The compiled build is tested as installed, not the sources that lie next to the tests."""
    assert CHECKOUT / package.__name__ != Path(str(package.__file__)).parent
