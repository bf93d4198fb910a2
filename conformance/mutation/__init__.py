"""The proof of the suite itself: a broker that lies at the decisive moment must make a case fail."""
