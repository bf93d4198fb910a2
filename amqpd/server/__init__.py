"""AMQP over sockets: transports, the dispatch of methods to the core, listeners."""
