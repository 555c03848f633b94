"""Layers of our own, with the sums of PyTorch's."""
