"""What a run found: on the terminal, as a page, and side by side with another run."""
