"""A conformance suite for AMQP 0-9-1 brokers: what the specification and RabbitMQ's extensions demand, case by case."""
