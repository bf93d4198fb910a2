"""The management: an HTTP API that operators and tools of RabbitMQ know, a web page, and metrics."""
