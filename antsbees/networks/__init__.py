"""Pre-trained networks as lists of stages, and where their weights come from."""
