"""Measure whole generations: time by stage, times real time, peak memory; warm, cold caches, and a cold process.

    make bench            (= python -m benchmarks.generation)

Every duration is a process of its own (so that peak memory is its own) with a database and an output folder of its
own. It generates once cold, then `RUNS` times with other seeds (other keys, other instruments, so other sounds), then
the last request again as often: its sounds are all there. The figures of the latter two are medians. Prints Markdown.
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
from typing import Any

from benchmarks.steps import print_steps

PROMPT = "pop song, full band, energetic, 110 bpm"
DURATIONS_S = (30, 120, 285)
RUNS = 5


def measure(duration: float) -> dict[str, Any]:
    """Generate in this process: cold, with other seeds, and again; seconds by stage and peak memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"OUTPUT_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite"}
        from musicgen.database import ensure_prepared
        from musicgen.options import GenerationOptions
        from musicgen.service import generate_track
        from wsgi import app

        with app.app_context():
            ensure_prepared()
            runs = []
            for seed in (*range(RUNS + 1), *[RUNS] * RUNS):
                start, cpu = time.perf_counter(), time.process_time()
                track = generate_track(GenerationOptions(PROMPT, duration=duration, seed=seed))
                total, cpu = time.perf_counter() - start, time.process_time() - cpu
                runs.append({**track.job.timings, "total": total, "CPU": cpu})
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    others, again = median(runs[1 : RUNS + 1]), median(runs[RUNS + 1 :])
    return {"runs": {"cold": runs[0], "other seeds": others, "again": again}, "peak_mb": peak_mb}


def median(runs: list[dict[str, float]]) -> dict[str, float]:
    """Take the median of every figure."""
    return {name: statistics.median(run.get(name, 0.0) for run in runs) for name in runs[0]}


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


def measure_import() -> float:
    """Seconds of a process that only imports the app; median of 5."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import musicgen.app"], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the tables."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; {PROMPT!r}\n")
    figures = {duration: measure_in_fresh_process(duration) for duration in DURATIONS_S}
    columns = list(dict.fromkeys(name for f in figures.values() for run in f["runs"].values() for name in run))
    print("| duration | run | " + " | ".join(f"{name}, s" for name in columns) + " | x real time | peak, MB |")
    print("|---" * (len(columns) + 4) + "|")
    for duration, figure in figures.items():
        for name, run in figure["runs"].items():
            cells = " | ".join(f"{run.get(column, 0.0):.2f}" for column in columns)
            print(f"| {duration} s | {name} | {cells} | {duration / run['total']:.0f} | {figure['peak_mb']:.0f} |")
    print(f"\n`import musicgen.app`, a whole process: {measure_import():.2f} s")
    print(f"`flask generate` of 30 s from a cold process, database made anew: {measure_cold_command():.2f} s\n")
    print_steps(PROMPT, DURATIONS_S[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", type=float, metavar="SECONDS", help="measure one duration, print JSON")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
    else:
        main()
