"""Client programs in many languages that walk one scenario, and the runner that compares what they print."""
