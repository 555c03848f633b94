"""Devices, precision and memory: how the arithmetic is carried out."""
