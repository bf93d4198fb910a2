"""What the API answers, one file for each kind of object."""
