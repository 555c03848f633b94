"""Labelled images: where they come from, and the views a network sees."""
