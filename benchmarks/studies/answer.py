"""How good the answer is on images nobody has seen, against three other ways to one.

    python -m benchmarks.studies.answer --data FOLDER [--sets photographs,forms] [--splits 12]

Every set is divided anew for each split: 40 % to train on, 25 % to choose by, 35 % that only this
study sees. Ours and the tuned Ray Tune script search for as many minutes on the same cores, one
after the other; what came out is appended to ``--out``, and a study that is run again goes on.
What the searches printed lies beside it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from antsbees.data.folder import read_folder
from antsbees.data.synthetic.sets import SETS
from benchmarks.studies.rivals import Answer, Task, ours, probe, tuned, tutorial
from benchmarks.studies.splits import few, resplit, small

PHOTOGRAPHS = ("photographs", "photographs-20", "photographs-96px")
WAYS: dict[str, Callable[[Task], list[Answer]]] = {
    "tutorial": tutorial, "probe": probe, "ours": ours, "tuned": tuned,
}  # fmt: skip


def divided(name: str, data: Path | None, seed: int, folder: Path) -> tuple[Path, Path]:
    """Return a set's folder of train and val, and that of its unseen images.

    Raises:
        SystemExit: A set of photographs is asked for without photographs.
    """
    source, target = folder / "source", folder / "division"
    if name not in PHOTOGRAPHS:
        SETS[name].write(source, seed=seed)
    elif data is None:
        raise SystemExit(f"{name} needs --data")
    elif name == "photographs-96px":
        small(data, source, 96)
    else:
        source = data
    unseen = resplit(read_folder(source), target, seed)
    if name == "photographs-20":
        target = few(read_folder(target), folder / "few", 20, seed)
    return target, unseen


def study(options: argparse.Namespace) -> Iterator[Answer]:
    """Yield what is not in ``options.out`` yet."""
    known = {(a.set, a.seed, a.way.split(",")[0]) for a in read(options.out)}
    named = {"tutorial": "tutorial's", "tuned": "tuned Ray Tune"}
    for seed in range(options.first_split, options.splits):
        for name in options.sets.split(","):
            for way in options.ways.split(","):
                if (name, seed, named.get(way, way)) in known:
                    continue
                with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
                    folder, unseen = divided(name, options.data, seed, Path(scratch))
                    task = Task(name, seed, folder, unseen, options.minutes, Path(scratch))
                    yield from WAYS[way](task)
                    for printed in Path(scratch).glob(f"{way}.txt"):
                        kept = options.out.with_suffix("") / f"{name}-{seed}-{way}.txt"
                        kept.parent.mkdir(parents=True, exist_ok=True)
                        shutil.copy(printed, kept)


def read(path: Path) -> list[Answer]:
    """Read the answers that are there already."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Answer(**json.loads(line)) for line in lines]


def table(answers: list[Answer]) -> str:
    """Sum up, a row for every set and way: means over splits, and how they differ from the probe's.

    Differences are paired by split; their interval is 1.96 standard errors over splits. "True in 95
    %" counts the error of the truth, too, which is known of a few hundred unseen images only. The
    last column is when a trial was as accurate on the validation images as the tuned script's best.
    """
    columns = (
        "set", "way", "splits", "accuracy", "log-loss", "below the probe's", "told - true",
        "true in 95 %", "s", "found after, s", "as good as tuned after, s",
    )  # fmt: skip
    lines = [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]
    for name in dict.fromkeys(a.set for a in answers):
        of_set = [a for a in answers if a.set == name]
        probes = {a.seed: a.loss for a in of_set if a.way == "probe"}
        rivals = {a.seed: a.told for a in of_set if a.way == "tuned Ray Tune"}
        for way in dict.fromkeys(a.way for a in of_set):
            own = [a for a in of_set if a.way == way]
            gains = np.array([probes[a.seed] - a.loss for a in own if a.seed in probes])
            gain = f"{gains.mean():.3f}" if len(gains) else ""
            if len(gains) > 1:
                gain += f" ± {1.96 * gains.std(ddof=1) / np.sqrt(len(gains)):.3f}"
            off = [a.told - a.accuracy for a in own if a.told is not None]
            found = [a.found_s for a in own if a.found_s is not None]
            reached = [s for a in own if (s := reached_s(a, rivals.get(a.seed))) is not None]
            inside = [known for a in own if (known := is_inside(a)) is not None]
            cells = (
                name, way, f"{len(own)}", f"{100 * np.mean([a.accuracy for a in own]):.1f} %",
                f"{np.mean([a.loss for a in own]):.3f}",
                gain,
                f"{100 * np.mean(off):+.1f}" if off else "",
                f"{100 * np.mean(inside):.0f} %" if inside else "",
                f"{np.mean([a.seconds for a in own]):.0f}",
                f"{np.mean(found):.0f}" if found else "",
                f"{np.mean(reached):.0f}" if reached else "",
            )  # fmt: skip
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def reached_s(answer: Answer, accuracy: float | None) -> float | None:
    """Return after how many seconds a search was as accurate; ``None`` if never, or not known."""
    rises = answer.progress or []
    if accuracy is None:
        return None
    return next((seconds for seconds, best in rises if best >= accuracy), None)


def is_inside(answer: Answer) -> bool | None:
    """Tell whether an answer is as good as it claims, within both errors; ``None``: no claim."""
    if answer.told is None or answer.low is None or answer.high is None:
        return None
    claim = (answer.high - answer.low) / 2  # 1.96 standard errors
    count = len(answer.hits)
    share = (sum(answer.hits) + 1) / (count + 2)  # as Agresti and Coull: never zero errors
    truth = 1.96 * np.sqrt(share * (1 - share) / count)
    return bool(abs(answer.accuracy - answer.told) <= np.hypot(claim, truth))


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, and print the table of all there is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.answer")
    parser.add_argument("--data", type=Path, help="photographs: a folder of train/ and val/")
    parser.add_argument("--sets", default="insects-easy", help=", ".join([*PHOTOGRAPHS, *SETS]))
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--splits", type=int, default=12)
    parser.add_argument("--first-split", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=4.0, help="of each search")
    parser.add_argument("--out", type=Path, default=Path("answers.jsonl"))
    options = parser.parse_args(arguments)
    for answer in study(options):
        with options.out.open("a") as file:
            file.write(json.dumps(answer.to_plain()) + "\n")
        what = f"{answer.set} {answer.seed} {answer.way} ({answer.chosen})"
        print(
            f"{what}: {answer.accuracy:.4f}, {answer.loss:.4f}, {answer.seconds:.0f} s", flush=True
        )
    print(table(read(options.out)))


if __name__ == "__main__":
    main()
