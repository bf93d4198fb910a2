"""amqpctl: rabbitmqctl's commands over the HTTP API."""
