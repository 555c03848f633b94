"""The command line: one file a command, each reads options, calls the rooms and prints."""

from sweeps.cli.app import app, main

__all__ = ["app", "main"]
