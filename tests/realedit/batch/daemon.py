"""`python -m tests.realedit.batch.daemon IN OUT`: the watching engine on `fakework`, with real workers.

Prints one line per happening; nothing heavy is imported outside of `main`, since workers import this too.
"""

import argparse
import random
import time
from pathlib import Path


def main(words: list[str] | None = None) -> None:
    """See the module; words: the arguments."""
    from realedit.batch.events import Happening
    from realedit.batch.local import LocalPool
    from realedit.batch.running import FolderRequest, run_folder
    from realedit.batch.settings import Done, EngineSettings
    from realedit.errors import RealeditError
    from tests.realedit.batch.fakework import FakeWork

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--settle", type=float, default=0.1)
    parser.add_argument("--patience", type=float, default=60.0)
    parser.add_argument("--seconds", type=float, default=0.01)
    parser.add_argument("--time-limit", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--together", type=int, default=1)
    parser.add_argument("--delete", action="store_true")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--jump", action="store_true", help="the wall clock jumps by years at every look")
    arguments = parser.parse_args(words)
    if arguments.jump:
        jumps = random.Random(0)
        time.time = lambda: jumps.uniform(0, 4e9)
    settings = EngineSettings(
        once=arguments.once,
        time_limit=arguments.time_limit,
        together=arguments.together,
        patience=arguments.patience,
        remake=False,
        rescan=1.0,
        done=Done(mode="delete" if arguments.delete else "keep"),
    )
    request = FolderRequest(
        folder=arguments.folder,
        output=arguments.output,
        recursive=True,
        settle=arguments.settle,
        settings=settings,
    )

    def show(happening: Happening) -> None:
        print(happening.kind, happening.text, flush=True)  # noqa: T201

    print("ready", flush=True)  # noqa: T201
    try:
        run_folder(
            request,
            FakeWork(seconds=arguments.seconds, log=arguments.log),
            lambda work: LocalPool(work, arguments.workers, threads=1),
            show,
        )
    except RealeditError as error:
        print(error, flush=True)  # noqa: T201
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
