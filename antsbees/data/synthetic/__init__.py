"""Drawn images, for when no photographs are at hand."""
