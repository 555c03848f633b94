"""What a user writes of the space: an entry for every hyperparameter, made from their table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)

from antsbees.hyperparameters import HYPERPARAMETERS, Hyperparameter, ScheduleKind, settings_of
from sweeps.spec.entries import (
    ALL,
    FROZEN_STAGES,
    Entry,
    LogUniform,
    Model,
    Range,
    faults_of,
    values_of,
)
from sweeps.spec.json_schema import entry_schema

SCHEDULE = "schedule"  # the one choice whose settings are written below each of its values
BESIDE_THE_SPACE = ("backbone", "epochs")  # entries of the spec itself
_DEFAULTS: Mapping[str, Any] = {
    "lr": LogUniform(log_uniform=Range(low=1e-3, high=0.3)),
    "batch_size": 32,
    FROZEN_STAGES: ALL,
}
"""Where a space that says nothing of a hyperparameter is not the tutorial."""


def default_entry(name: str) -> Any:
    """Return what holds for a hyperparameter that a space says nothing of."""
    return _DEFAULTS.get(name, HYPERPARAMETERS[name].default)


def checked_entry(entry: Any, info: ValidationInfo) -> Any:
    """Hold an entry against the table of hyperparameters.

    Raises:
        ValueError: It breaks rules; all of them are told.
    """
    faults = [] if entry is None else list(faults_of(str(info.field_name), entry))
    if faults:
        raise ValueError("; ".join(faults))
    return entry


def of_table(
    wanted: Callable[[Hyperparameter], bool],
    default: Callable[[str], Any],
    kind: Any,
    schema: Callable[[Hyperparameter], dict[str, Any]] = entry_schema,
) -> dict[str, Any]:
    """Return the fields that pydantic makes a model of, one for each hyperparameter wanted.

    Args:
        kind: The type of every field.
        schema: The JSON schema of its values.
    """
    fields = {}
    for h in HYPERPARAMETERS.values():
        if wanted(h):
            annotation: Any = Annotated[kind, WithJsonSchema(schema(h))]
            if default(h.name) is None:
                annotation = annotation | None
            fields[h.name] = annotation, Field(default=default(h.name), description=h.description)
    return fields


class _Entries(Model):
    @field_validator("*", mode="after")
    @classmethod
    def _in_bounds(cls, entry: Any, info: ValidationInfo) -> Any:
        return entry if info.field_name == SCHEDULE else checked_entry(entry, info)


def _is_setting(hyperparameter: Hyperparameter, choice: str) -> bool:
    owner = hyperparameter.belongs_to
    return owner is not None and owner.choice == choice


_ScheduleSettings: Any = create_model(
    "_ScheduleSettings",
    __base__=_Entries,
    **of_table(lambda h: _is_setting(h, SCHEDULE), lambda name: None, Entry),
)


class ScheduleSettings(_ScheduleSettings):  # type: ignore[misc] # made from the table
    """What a kind of schedule brings with it; only its own settings may be given."""

    def given(self) -> dict[str, Any]:
        """Return the settings that were written down."""
        return {
            name: v for name in type(self).model_fields if (v := getattr(self, name)) is not None
        }


def _schedules(value: Any) -> Any:
    """Read a bare name or a list of names as kinds without settings."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(kind, str) for kind in value):
        return {kind: {} for kind in value}
    if isinstance(value, dict):
        return {kind: {} if settings is None else settings for kind, settings in value.items()}
    return value


Schedules = Annotated[dict[ScheduleKind, ScheduleSettings], BeforeValidator(_schedules)]


def _in_space(hyperparameter: Hyperparameter) -> bool:
    name = hyperparameter.name
    elsewhere = name == SCHEDULE or name in BESIDE_THE_SPACE
    return not elsewhere and not _is_setting(hyperparameter, SCHEDULE)


def _left_open(name: str) -> Any:
    """Return the default of a field; a setting has none, since its choice may not bring it."""
    return None if HYPERPARAMETERS[name].belongs_to else default_entry(name)


_Space: Any = create_model("_Space", __base__=_Entries, **of_table(_in_space, _left_open, Entry))


class Space(_Space):  # type: ignore[misc] # made from the table
    """What is searched: for every hyperparameter a fixed value or the values to choose from."""

    schedule: Schedules = Field(
        default={ScheduleKind.COSINE: ScheduleSettings(final_fraction=0.0)},
        min_length=1,
        description="Kinds of schedule to choose from, each with its own settings.",
    )

    @field_validator(SCHEDULE)
    @classmethod
    def _settings_belong_to_their_kind(cls, schedules: Any) -> Any:
        faults = []
        for kind, settings in schedules.items():
            wanted, given = set(settings_of(SCHEDULE, kind)), set(settings.given())
            faults += [f"{kind} needs {name}" for name in sorted(wanted - given)]
            faults += [f"{kind} takes no {name}" for name in sorted(given - wanted)]
        if faults:
            raise ValueError("; ".join(faults))
        return schedules

    @model_validator(mode="after")
    def _settings_belong_to_a_choice(self) -> Self:
        faults = []
        for name, hyperparameter in HYPERPARAMETERS.items():
            owner = hyperparameter.belongs_to
            if owner is None or owner.choice == SCHEDULE or getattr(self, name) is None:
                continue
            if not set(owner.values) & set(self.possible(owner.choice)):
                values = " or ".join(owner.values)
                faults.append(f"{name} needs the {owner.choice} {values} among those to choose")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def possible(self, choice: str) -> tuple[str, ...]:
        """Return the values a choice may come to."""
        found = self.schedule if choice == SCHEDULE else values_of(getattr(self, choice))
        return tuple(str(value) for value in found)

    def only(self, choice: str) -> str | None:
        """Return the value of a choice that leaves nothing to choose, else ``None``."""
        possible = self.possible(choice)
        return possible[0] if len(possible) == 1 else None

    def setting(self, choice: str, value: str, name: str) -> Any:
        """Return the entry of a setting of a choice's value, ``None`` where the space has none."""
        if choice != SCHEDULE:
            given = getattr(self, name)
            return default_entry(name) if given is None else given
        settings = self.schedule.get(ScheduleKind(value))
        return None if settings is None else getattr(settings, name)
