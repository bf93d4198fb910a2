"""Why a command did not do what it was told to."""

from typing import Final

FAILED: Final = 1
"""A check found what it looked for."""
USAGE: Final = 64
"""The command was not understood, or not confirmed."""
DATA: Final = 65
"""What it was given makes no sense to the broker."""
NO_USER: Final = 67
UNAVAILABLE: Final = 69
"""The broker does not answer, or what was named does not exist."""
SOFTWARE: Final = 70
"""It exists already, or the broker failed."""
NO_PERMISSION: Final = 77


class Failure(Exception):
    """Ends the program with an exit code (those of sysexits.h, as rabbitmqctl's) and a text for people."""

    def __init__(self, exit_code: int, text: str) -> None:
        super().__init__(text)
        self.exit_code: Final = exit_code
        self.text: Final = text
