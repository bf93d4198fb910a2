"""The broker's core: queues, consumers, sessions, virtual hosts. It knows no socket, no HTTP, no loop and no clock."""
