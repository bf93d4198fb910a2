"""The scenario in Python, one library a file."""
