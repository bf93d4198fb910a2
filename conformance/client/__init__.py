"""A frame-level AMQP client that can also be wrong on purpose."""
