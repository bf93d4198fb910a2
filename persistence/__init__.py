"""A store for queues of messages and for a broker's definitions; `store` holds the contract."""
