"""What a scan takes against its number of points and of workers, and what it adds to the points' own work.

    python benchmarks/scans.py FOLDER [--base CONFIG] [--points 2,4] [--workers 1,2]

FOLDER, outside the repository, is where the scans are made, each from nothing. Their points differ in the seed, so that
they share nothing: what they take is N times one point, if the scan adds nothing. All are timed in one run of this
script; only ratios mean anything. What a stage takes is what its run directory's manifest says; the overhead of a point
is what the scan took beyond that with one worker, from the smallest to the largest number of points: what is the same
for any number of points (starting workers, TensorFlow, the page) drops out, and is told for itself. The stage
`validation`, which no run has that is not a scan's, is overhead too.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import yaml


def timed_scan(folder: Path, base: Path, points: int, workers: int) -> tuple[float, float]:
    """Seconds that a scan takes by the clock, and the sum of what the stages of its points would take without it."""
    from trigger_ad.run_directory import RunDirectory, read_json
    from trigger_ad.scan.scanning import run_scan

    name = f"points_{points}_workers_{workers}"
    shutil.rmtree(folder / "hls_projects" / name, ignore_errors=True)
    scan = {
        "name": name,
        "base": str(base),
        "grid": {"seed": list(range(1, points + 1))},
        "objectives": [{"maximise": "auc"}],
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(scan), encoding="utf-8")
    started = time.perf_counter()
    pareto = run_scan(path, workers)
    took = time.perf_counter() - started
    runs = [RunDirectory(Path(point["directory"])) for point in pareto["points"]]
    scans_own = sum(read_json(run.manifest)["stages"]["validation"]["seconds"] for run in runs)
    return took, sum(point["seconds"] for point in pareto["points"]) - scans_own


def main() -> None:
    """Times every combination and writes the ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--base", type=Path, default=Path(__file__).parent.parent / "configs" / "ffn_small.yaml")
    parser.add_argument("--points", default="2,4", help="numbers of points")
    parser.add_argument("--workers", default="1,2", help="numbers of workers")
    asked = parser.parse_args()
    base = asked.base.resolve()
    asked.folder.mkdir(parents=True, exist_ok=True)
    # run directories are made in the working directory
    os.chdir(asked.folder)
    points, workers = (sorted(map(int, text.split(","))) for text in (asked.points, asked.workers))
    took = {(n, w): timed_scan(Path(), base, n, w) for w in workers for n in points}
    few, many, one = points[0], points[-1], workers[0]
    # of one point, by the clock and by its stages
    each, own = ((took[many, one][i] - took[few, one][i]) / (many - few) for i in (0, 1))
    results = {
        "points": points,
        "workers": workers,
        f"time over that of {few} points, by points and workers": {
            f"{n}, {w}": round(took[n, w][0] / took[few, w][0], 3) for n, w in took
        },
        f"speed over that of {one} worker, by points and workers": {
            f"{n}, {w}": round(took[n, one][0] / took[n, w][0], 3) for n, w in took
        },
        f"overhead of a point over its own stages, {one} worker": round(each / own - 1, 4),
        "start and end over the stages of a point": round((took[few, one][0] - few * each) / own, 3),
    }
    sys.stdout.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
