"""Gathers what a report is made from, and writes it."""
