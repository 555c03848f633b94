"""Writes a drawn set as a folder: ``python -m benchmarks.studies.drawn NAME FOLDER``."""

from __future__ import annotations

import argparse
from pathlib import Path

from antsbees.data.synthetic.sets import SETS


def main(arguments: list[str] | None = None) -> None:
    """Write the set of that name, with another seed if one is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.drawn", description=__doc__)
    parser.add_argument("name", choices=list(SETS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="another one draws other images")
    options = parser.parse_args(arguments)
    SETS[options.name].write(options.folder, seed=options.seed)


if __name__ == "__main__":
    main()
