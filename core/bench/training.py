"""What training through Augury costs, against loops without it."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from core.bench.paired import ratio
from core.presets import preset
from core.runtime import prepare_environment, thread_count

ROOT = Path(__file__).parents[2]
ROUNDS = 3
PRESET = "augmented"
USUAL_EPOCHS = 3  # instead of all of the preset's, for it is slow
WAYS = {
    "bare": ("bare loop, own process", [sys.executable, "-m", "core.bench.loops", "bare"]),
    "app": (
        "through the app, one viewer",
        [sys.executable, "-m", "tests.benchmarks.through_app"],
    ),
    "usual": (
        "Dataset + DataLoader, an image at a time",
        [sys.executable, "-m", "core.bench.loops", "usual"],
    ),
}


def measure(rounds: int) -> dict[str, Any]:
    """Images a second of each way, each in processes of its own."""
    spec = preset(PRESET)
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        short = spec.train.model_copy(update={"epochs": USUAL_EPOCHS})
        for way in WAYS:
            train = short if way == "usual" else spec.train
            Path(folder, way).write_text(spec.model_copy(update={"train": train}).to_json(), "utf-8")
        for i in range(rounds):
            # To and fro: a machine that slows down all the while then favours none of them.
            for way, (title, command) in list(WAYS.items())[:: -1 if i % 2 else 1]:
                print(f"round {i + 1} of {rounds}: {title} …", file=sys.stderr, flush=True)
                rates[way].append(_run([*command, str(Path(folder, way))]))
    rows = [
        {
            "way": WAYS[way][0],
            "images_per_second": statistics.median(values),
            "ratio_to_bare": ratio(values, rates["bare"]),
            "app_ratio_to_this": ratio(rates["app"], values),
        }
        for way, values in rates.items()
    ]
    return {
        "threads": thread_count(),
        "batch_size": spec.train.batch_size,
        "rounds": rounds,
        "epochs": spec.train.epochs,
        "rates": rates,
        "rows": rows,
    }


def _run(command: list[str]) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    prepare_environment(environment)
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False, timeout=600
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout.splitlines()[-1])["images_per_second"])


def table(measured: dict[str, Any]) -> str:
    """The rows as text, under a line that says how they were measured."""
    rows = measured["rows"]
    lines = [
        f"Training: CNN 32-64-128 on mnist5k, affine + erasing, batch {measured['batch_size']}, "
        f"{measured['threads']} threads, {measured['rounds']} rounds of {measured['epochs']} epochs "
        f"({USUAL_EPOCHS} of the last); medians, ratios paired within a round.",
        "",
        f"{'':<44}{'images/s':>10}{'to bare':>10}",
    ]
    lines += [
        f"{row['way']:<44}{row['images_per_second']:>10,.0f}{row['ratio_to_bare']:>10.2f}" for row in rows
    ]
    return "\n".join([*lines, "", f"The app to the usual way: {rows[-1]['app_ratio_to_this']:.2f}."])
