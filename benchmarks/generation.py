"""Measure whole generations: time by stage, times real time, peak memory; warm, cold caches, and a cold process.

    make bench            (= python -m benchmarks.generation)

Every row is a process of its own (so that peak memory is its own) with a database and an output folder of its own. It
generates once cold, then `RUNS` times warm with other seeds; the warm figures are medians. Prints a Markdown table.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PROMPT = "pop song, full band, energetic, 110 bpm"
DURATIONS_S = (30, 285)
RUNS = 5


def measure(duration: float) -> dict[str, Any]:
    """Generate in this process: once cold, then `RUNS` times; seconds by stage and peak memory in MB."""
    began = time.perf_counter()
    from musicgen.app import create_app
    from musicgen.options import GenerationOptions
    from musicgen.service import generate_track

    imported_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder:
        config = {"OUTPUT_DIR": Path(folder), "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite"}
        app = create_app(config)
        with app.app_context():
            from musicgen.database import ensure_prepared

            ensure_prepared()
            runs = []
            for seed in range(RUNS + 1):
                start = time.perf_counter()
                track = generate_track(GenerationOptions(PROMPT, duration=duration, seed=seed))
                runs.append({"total": time.perf_counter() - start, **track.job.timings})
    warm = {stage: statistics.median(run.get(stage, 0.0) for run in runs[1:]) for stage in runs[0]}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"import": imported_s, "cold": runs[0], "warm": warm, "peak_mb": peak_mb}


def measure_in_fresh_process(duration: float) -> dict[str, Any]:
    """Run `measure` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.generation", "--measure", str(duration)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return figures


def measure_cold_command() -> float:
    """Seconds of a whole `flask generate` of 30 s from a cold process, with a fresh database; median of 5."""
    times = []
    for seed in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            environ = os.environ | {"OUTPUT_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite"}
            command = [
                sys.executable,
                "-m",
                "flask",
                "--app",
                "wsgi",
                "generate",
                PROMPT,
                "--seed",
                str(seed),
                "--quiet",
            ]
            start = time.perf_counter()
            subprocess.run(command, check=True, env=environ, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the tables."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {PROMPT!r}\n")
    figures = {duration: measure_in_fresh_process(duration) for duration in DURATIONS_S}
    stages = list(dict.fromkeys(stage for f in figures.values() for stage in f["warm"] if stage != "total"))
    print(
        "| duration | run | " + " | ".join(f"{stage}, s" for stage in stages) + " | total, s | x real time | peak, MB |"
    )
    print("|---" * (len(stages) + 5) + "|")
    for duration, figure in figures.items():
        for run in ("cold", "warm"):
            cells = " | ".join(f"{figure[run].get(stage, 0.0):.2f}" for stage in stages)
            total = figure[run]["total"]
            print(
                f"| {duration} s | {run} | {cells} | {total:.2f} | {duration / total:.0f} | {figure['peak_mb']:.0f} |"
            )
    print(f"\nimport of the app: {figures[DURATIONS_S[0]]['import']:.2f} s")
    print(f"`flask generate` of 30 s from a cold process, database made anew: {measure_cold_command():.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=float, metavar="SECONDS", help="measure one duration, print JSON")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
    else:
        main()
