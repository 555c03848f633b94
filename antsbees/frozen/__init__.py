"""What frozen stages put out: computed once, kept, read by every trial."""
