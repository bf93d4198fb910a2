"""The bytes of AMQP 0-9-1: field values, methods, content headers and frames."""
