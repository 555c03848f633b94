"""``antsbees schema``: print the JSON Schema of a spec."""

from __future__ import annotations

import json


def schema() -> None:
    """Print the JSON Schema of a spec, for editors."""
    from sweeps.spec.models import SweepSpec

    print(json.dumps(SweepSpec.model_json_schema(), indent=2))
