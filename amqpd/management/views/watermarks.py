"""How much memory may be used and how much disk must be free, before publishers are blocked."""

from __future__ import annotations

from typing import Final

from amqpd.management.call import Call
from amqpd.management.refusal import bad_request
from amqpd.management.views.nodes import check_node
from amqpd.options import size

MEMORY: Final = "vm_memory_high_watermark"
DISK: Final = "disk_free_limit"
INVALID: Final = "{} must be an object with one member: absolute, a size such as 4GB, or relative, a fraction of the memory"


async def change(call: Call) -> object:
    """Change limits of memory and disk, which count at once and until the broker ends.

    The body has one or both of `vm_memory_high_watermark`, above which use of memory blocks publishers, and
    `disk_free_limit`, below which free space does. Each is `{"absolute": "4GB"}` or `{"relative": 0.4}`, a fraction of the
    memory that the broker may use, which for memory is at most 1.
    """
    check_node(call)
    body = await call.body()
    limits = call.site.wiring.limits
    memory = _bytes(MEMORY, body[MEMORY], limits.memory_total, 1.0) if MEMORY in body else limits.memory_limit
    disk = _bytes(DISK, body[DISK], limits.memory_total, 1000.0) if DISK in body else limits.disk_limit
    limits.change(memory, disk)
    return await call.done()


def _bytes(name: str, wanted: object, memory_total: int, most: float) -> int:
    """A limit in bytes. Raises Refusal."""
    match wanted:
        case {"absolute": str() | int() as text, **others} if not others and not isinstance(text, bool):
            try:
                return size()(str(text))
            except ValueError as error:
                raise bad_request(f"{name} {error}") from None
        case {"relative": float() | int() as fraction, **others} if not others and 0 <= fraction <= most:
            return int(fraction * memory_total)
    raise bad_request(INVALID.format(name))
