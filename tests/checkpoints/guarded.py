"""Read the files of a folder while watching everything the interpreter does; prints one JSON object.

Run as a program of its own, because an audit hook cannot be taken off again:

    python -m tests.checkpoints.guarded FOLDER
"""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch

from checkpoints import CheckpointError, load

# Events that reading a file has no business to cause. "open" is looked at closely: reading is what it is for.
FORBIDDEN = (
    "code.__new__",
    "compile",
    "ctypes.",
    "exec",
    "function.__new__",
    "ftplib.",
    "http.client.",
    "import",
    "marshal.",
    "mmap.__new__ write",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.putenv",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.symlink",
    "os.system",
    "os.truncate",
    "pickle.find_class",
    "shutil.",
    "socket.",
    "subprocess.",
    "sys.addaudithook",
    "sys.setprofile",
    "sys.settrace",
    "tempfile.",
    "urllib.",
    "webbrowser.",
)
HEADROOM = 1 << 30  # bytes of address space beyond what is in use at the start


def peak() -> int:
    """The most memory that the process has held since `reset_peak`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def reset_peak() -> int:
    """Begin to measure the peak anew; gives what is in use now."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def read_all(folder: Path) -> dict[str, Any]:
    """What came of each file, and what happened meanwhile."""
    seen: list[str] = []
    watching = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event == "open" and len(arguments) > 2 and isinstance(arguments[2], int):
            if arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                seen.append(f"open for writing: {arguments[0]}")
        elif event.startswith(FORBIDDEN):
            seen.append(f"{event} {str(arguments)[:100]}")

    files = sorted(folder.iterdir())
    torch.set_num_threads(1)
    for path in files:  # import whatever is imported late, before anybody watches
        if path.name.startswith("generator-"):
            load(path, cache=False)
    sys.addaudithook(hook)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * os.sysconf("SC_PAGE_SIZE") + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    outcomes: dict[str, dict[str, Any]] = {}
    for path in files:
        before = reset_peak()
        start = time.process_time()  # a busy machine hangs nothing
        seen.clear()
        watching = True
        try:
            load(path, cache=False)
            outcome = "loaded"
        except CheckpointError as error:
            outcome = f"refused: {error}"
        except BaseException as error:
            outcome = f"crashed: {type(error).__name__}: {error!s:.200}"
        watching = False
        seconds = time.process_time() - start
        outcomes[path.name] = {"outcome": outcome, "seconds": seconds, "events": list(seen)}
        outcomes[path.name]["megabytes"] = (peak() - before) / 1e6
    return {"files": outcomes}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read_all(Path(sys.argv[1]))))
