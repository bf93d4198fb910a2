"""Publishers mostly repeat themselves: the octets with which another message like the last one would begin."""

from __future__ import annotations

from typing import Final

from amqpd.protocol.channel import Channel
from amqpd.wire import frames
from amqpd.wire.frames import BODY, FRAME_OVERHEAD, HEADER, METHOD


class Repeat:
    """A message of one body frame with the same method, header and size as the last one."""

    def __init__(self, channel: Channel, prefix: bytes, size: int) -> None:
        self.channel: Final = channel
        self.prefix: Final = prefix
        """Its method frame, its header frame, and the beginning of its body frame."""
        self.size: Final = size
        """Octets of the whole message with all its frames."""
        self.method: Final = channel.publish
        self.header: Final = channel.header


def repeat_of(channel: Channel, frame_max: int) -> Repeat | None:
    """What another message like the channel's last one would look like, if that fits one body frame; 0: any fits."""
    size = channel.header[4:12]
    octets = int.from_bytes(size, "big")
    if octets == 0 or octets + FRAME_OVERHEAD > (frame_max or octets + FRAME_OVERHEAD):
        return None
    prefix = (
        frames.frame(METHOD, channel.number, channel.publish)
        + frames.frame(HEADER, channel.number, channel.header)
        + frames.frame(BODY, channel.number, b"")[:3]
        + size[4:]
    )
    return Repeat(channel, prefix, len(prefix) + octets + 1)
