"""AMQP 0-9-1 as a value: bytes go in, commands come out, bytes are collected. No socket, loop, clock or log."""
