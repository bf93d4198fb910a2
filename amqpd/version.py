"""Which amqpd this is: its version and whether its hot modules are compiled."""

from importlib.util import find_spec
from typing import Final

from amqpd import __version__

VERSION: Final = __version__


def is_compiled() -> bool:
    """Whether the hot modules are extension modules rather than Python source."""
    hot = find_spec("amqpd.errors")
    return hot is not None and hot.origin is not None and not hot.origin.endswith(".py")


def describe() -> str:
    """One line for people, such as `amqpd 0.1.0 (compiled)`."""
    return f"amqpd {__version__} ({'compiled' if is_compiled() else 'interpreted'})"
