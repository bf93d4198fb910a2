"""How much memory may be used and how much disk must be free, before publishers are blocked."""

from typing import Any, Final

from amqpd.ctl.command import Argument, Command, Invocation
from amqpd.ctl.failure import DATA, USAGE, Failure


def set_memory(invocation: Invocation) -> None:
    """Change the limit of memory until the broker ends. Raises Failure."""
    match invocation["limit"]:
        case ["absolute", size]:
            _change(invocation, "memory threshold", f"{size} bytes", "vm_memory_high_watermark", {"absolute": size})
        case [text]:
            fraction = _fraction(text)
            if fraction > 1:
                raise Failure(DATA, "The threshold should be a fraction between 0.0 and 1.0")
            _change(invocation, "memory threshold", text, "vm_memory_high_watermark", {"relative": fraction})
        case _:
            raise Failure(USAGE, "give a fraction such as 0.4, or absolute and a size such as 4GB")


def set_disk(invocation: Invocation) -> None:
    """Change the limit of free disk space until the broker ends. Raises Failure."""
    match invocation["limit"]:
        case ["mem_relative", text]:
            shown = f"{text} times the total RAM"
            _change(invocation, "disk free limit", shown, "disk_free_limit", {"relative": _fraction(text)})
        case [size]:
            _change(invocation, "disk free limit", f"{size} bytes", "disk_free_limit", {"absolute": size})
        case _:
            raise Failure(USAGE, "give a size such as 50MB, or mem_relative and a fraction such as 1.5")


def _fraction(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Failure(DATA, f"{text} is no number") from None


def _change(invocation: Invocation, what: str, shown: str, name: str, limit: dict[str, Any]) -> None:
    invocation.output.remark(f"Setting {what} on {invocation.node} to {shown} ...")
    invocation.api.put("nodes", invocation.node, "watermarks", body={name: limit})


COMMANDS: Final = (
    Command(
        "set_vm_memory_high_watermark", "say how much memory may be used before publishers are blocked", set_memory,
        (Argument("limit", "a fraction of the memory, or absolute and a size", "*"),),
    ),
    Command(
        "set_disk_free_limit", "say how much disk space must be free, or publishers are blocked", set_disk,
        (Argument("limit", "a size, or mem_relative and a fraction of the memory", "*"),),
    ),
)  # fmt: skip
