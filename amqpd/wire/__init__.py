"""Bytes on the wire: frames, methods, content and field tables of AMQP 0-9-1. No socket, no state."""
