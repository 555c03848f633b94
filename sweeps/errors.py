"""The exceptions of the package.

SweepError
├── SpecError       the spec breaks a rule (exit code 2)
├── UsageError      a name, folder or combination of options cannot be used (exit code 2)
└── RunError        something failed while running (exit code 1)
"""


class SweepError(Exception):
    """Anything this package raises on purpose."""


class SpecError(SweepError):
    """The spec breaks a rule; the message lists every fault with its place."""


class UsageError(SweepError):
    """A name, a folder or a combination of options cannot be used."""


class RunError(SweepError):
    """Something failed while a sweep was running."""
