"""The exceptions of the package.

AntsbeesError
├── UserError          the user can fix it: a value, a file, a folder (exit code 2)
│   ├── ConfigError    a configuration breaks a rule
│   ├── DataError      the images cannot be used as they are
│   ├── WeightsError   pre-trained weights are missing, damaged or of another architecture
│   ├── ModelError     a saved model cannot be read
│   └── DeviceError    torch cannot use the device
└── DivergedError      the loss of a trial is no longer a finite number
"""


class AntsbeesError(Exception):
    """Anything this package raises on purpose."""


class UserError(AntsbeesError):
    """A mistake the user can fix; the message says what is wrong, where, and what to do."""


class ConfigError(UserError):
    """A configuration breaks a rule."""


class DataError(UserError):
    """The images cannot be used as they are."""


class WeightsError(UserError):
    """Pre-trained weights are missing, damaged, or belong to another architecture."""


class ModelError(UserError):
    """A saved model cannot be read."""


class DeviceError(UserError):
    """torch cannot use the device that was asked for."""


class DivergedError(AntsbeesError):
    """The loss of a trial is no longer a finite number."""
