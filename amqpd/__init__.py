"""An AMQP 0-9-1 broker that RabbitMQ clients connect to unchanged."""

__version__ = "0.1.0"
