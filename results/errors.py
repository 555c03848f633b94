"""The exceptions of the package.

ResultsError
├── LeaderboardError    there is no such leaderboard, sweep or trial, or it cannot be read
└── EmptyLeaderboard    there is a leaderboard, but no trial in it has a score yet
"""


class ResultsError(Exception):
    """Anything this package raises on purpose; the user can fix it (exit code 2)."""


class LeaderboardError(ResultsError):
    """There is no such leaderboard, sweep or trial, or a file of it cannot be read."""


class EmptyLeaderboard(ResultsError):  # noqa: N818 # a state, named as what it is
    """There is a leaderboard, but no trial in it has a score yet."""
