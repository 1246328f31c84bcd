"""How fast checkpoints load, how exactly they compute, and what hostile files achieve.

    python scripts/bench checkpoints [--quick] [--json FILE] [--resolution 1024]

Writes a random generator in the FFHQ layout (channel_base 32768) as an NVIDIA pickle into a temporary folder
and loads it the slow way and the kept way; runs the reference files of the original projects where they are
found (../shared/conformance beside the repository); reads the hostile files of the tests under an audit hook.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from commands import ROOT

import checkpoints
from checkpoints.testing import random_checkpoint
from tests.checkpoints import samples
from tests.checkpoints.guarded import peak, reset_peak
from tests.checkpoints.hostile import hostile_files

Row = dict[str, Any]


def row(what: str, value: float, unit: str, goal: float | None = None) -> Row:
    """A figure, and whether it is at most its goal."""
    return {
        "what": what,
        "value": value,
        "unit": unit,
        "goal": goal,
        "holds": None if goal is None else value <= goal,
    }


def timed(action: Callable[[], object], times: int) -> tuple[float, float]:
    """Median and spread (slowest minus fastest) in seconds, after one run that does not count."""
    action()
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds)), max(seconds) - min(seconds)


def loading(resolution: int, folder: Path, times: int) -> list[Row]:
    """The bundled model, and a large one as a pickle, converted, and kept."""
    rows = []
    middle, spread = timed(checkpoints.load, times)
    rows += [row("load the bundled model", middle, "s", 0.3), row("  spread", spread, "s")]
    generator = random_checkpoint(
        resolution,
        w_dim=512,
        channel_base=32768,
        channel_max=512,
        mapping_layers=8,
        encoder=False,
        codes=False,
    ).generator
    path = folder / "network-snapshot.pkl"
    state = samples.nvidia_tensors(generator)
    path.write_bytes(samples.nvidia_pickle(generator, extra={"G": state}))
    del state
    rows.append(row(f"NVIDIA pickle of {resolution} px", path.stat().st_size / 1e6, "MB"))
    before = reset_peak()
    start = time.perf_counter()
    checkpoints.load(path, cache=False)
    seconds = time.perf_counter() - start
    rows.append(row("  load from the pickle, nothing kept", seconds, "s"))
    rows.append(row("  peak memory of that, the generator included", (peak() - before) / 1e6, "MB"))
    start = time.perf_counter()
    checkpoints.load(path)
    rows.append(row("  first load (read, convert, keep)", time.perf_counter() - start, "s"))
    middle, spread = timed(lambda: checkpoints.load(path), times)
    rows += [row("  second load (kept)", middle, "s", 1.0), row("    spread", spread, "s")]
    middle, _ = timed(lambda: checkpoints.storage.sha256_of(path), times)
    rows.append(row("    of which hashing the pickle", middle, "s"))
    return rows


def exactness() -> list[Row]:
    """Against what the original code computed."""
    folder = ROOT.parent / "shared" / "conformance"
    files = sorted(folder.glob("*.p[kt]*"))
    if not files:
        print(f"no reference files in {folder}: exactness is not measured", file=sys.stderr)
        return []
    worst, relative = 0.0, 0.0
    for path in files:
        generator = checkpoints.load(path, cache=False).generator
        with np.load(path.with_suffix(".expected.npz")) as arrays:
            expected = {name: torch.from_numpy(arrays[name]) for name in arrays}
        ws = generator.mapping(expected["z"], expected.get("c"))
        image = generator.synthesis(ws)
        found = {
            "ws": ws,
            "w": ws[:, 0],
            "image_noise_const": image,
            "image_noise_none": generator.synthesis(ws, "none"),
        }
        found |= {f"block_{r}": x for r, x in generator.features(ws).items()}
        worst = max(worst, *(float((found[n] - e).abs().max()) for n, e in expected.items() if n in found))
        reference = expected["image_noise_const"]
        fast = generator.synthesis_network.cast_copy(torch.bfloat16)(ws)
        relative = max(relative, float((fast - reference).norm() / reference.norm()))
    return [
        row(f"largest error in float32, {len(files)} files", worst, "abs", 1e-3),
        row("largest error in bfloat16", relative, "rel L2", 2e-2),
    ]


def hostility(folder: Path) -> list[Row]:
    """Hostile files under an audit hook, in a process of their own."""
    files = folder / "hostile"
    files.mkdir()
    for name, data in hostile_files().items():
        (files / name).write_bytes(data)
    run = subprocess.run(
        [sys.executable, "-m", "tests.checkpoints.guarded", str(files)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(run.stdout)
    found = report["files"].values()
    return [
        row("hostile files", len(found), "files"),
        row("  executions", sum(bool(f["events"]) for f in found), "files", 0),
        row("  crashes", sum(f["outcome"].startswith("crashed") for f in found), "files", 0),
        row("  slowest", max(f["seconds"] for f in found), "s", 30),
        row("  peak memory of the greediest", max(f["megabytes"] for f in found), "MB", 1024),
    ]


def speed(times: int) -> list[Row]:
    """The bundled generator: whole pictures, and a drag step's share (features and gradient)."""
    checkpoint = checkpoints.load()
    generator = checkpoint.generator
    ws = generator.w_avg.expand(1, generator.num_ws, -1).contiguous()
    half = generator.resolution // 2
    variants = {
        (name, layout): generator.synthesis_network.cast_copy(dtype, memory)
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
        for layout, memory in (
            ("channels-last", torch.channels_last),
            ("channels-first", torch.contiguous_format),
        )
    }

    def picture(network: checkpoints.SynthesisNetwork) -> None:
        with torch.no_grad():
            network(ws)

    def step(network: checkpoints.SynthesisNetwork) -> None:
        w = ws.clone().requires_grad_()
        network.features(w, upto=half)[half].float().square().mean().backward()

    rows = []
    for what, action in (
        (f"picture of {generator.resolution} px", picture),
        (f"features to {half} px and back", step),
    ):
        seconds: dict[tuple[str, str], list[float]] = {key: [] for key in variants}
        for turn in range(times + 2):  # in turn, so that the machine's other work hits all alike
            for key, network in variants.items():
                start = time.perf_counter()
                action(network)
                if turn > 1:
                    seconds[key].append(time.perf_counter() - start)
        rows += [
            row(f"{what}, {name}, {layout}", 1000 * float(np.median(values)), "ms")
            for (name, layout), values in seconds.items()
        ]
    return rows


def main() -> None:
    """Measure, print and, if asked to, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="512 px and fewer repetitions")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument(
        "--resolution", type=int, default=None, help="of the large generator (1024; quick: 512)"
    )
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    times = 3 if options.quick else 9
    resolution = options.resolution or (512 if options.quick else 1024)
    machine = (
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {options.threads} threads"
    )
    print(f"{machine}; Python {platform.python_version()}, torch {version('torch')}; median of {times}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["REALEDIT_CACHE"] = str(folder / "cache")
        rows = [*loading(resolution, folder, times), *exactness(), *hostility(folder), *speed(2 * times)]
    for found in rows:
        goal = (
            ""
            if found["goal"] is None
            else f"goal {found['goal']:g}: {'holds' if found['holds'] else 'MISSED'}"
        )
        print(f"{found['what']:<52}{found['value']:>12.4g} {found['unit']:<8}{goal}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2))
