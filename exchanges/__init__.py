"""Message routing by exchange type, bindings and alternate exchanges, as a library without I/O, event loop or clock."""
