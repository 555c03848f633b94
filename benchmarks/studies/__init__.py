"""Measurements of our own parts."""
