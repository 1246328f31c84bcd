"""`realedit doctor`: what is installed, and what stands in the way."""

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

import click

from realedit import __version__
from realedit.cli.streams import result

PACKAGES = ("alignment", "checkpoints", "inversion")
LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "pillow",
    "opencv-python",
    "dlib-bin",
    "lpips",
    "pillow-heif",
    "jpeglib",
)


@click.command("doctor")
@click.pass_context
def doctor_command(ctx: click.Context) -> None:
    """Say what is installed, which device is used, and whether another package stands in the way."""
    failed = False
    for what, found, good in findings():
        result(f"{'ok ' if good else 'BAD'}  {what}: {found}")
        failed |= not good
    if failed:
        ctx.exit(2)


def findings() -> Iterator[tuple[str, str, bool]]:
    """(what, what was found, whether that is good)."""
    yield "realedit", f"{__version__}, {Path(__file__).parents[1]}", True
    yield "Python", f"{platform.python_version()} on {platform.platform()}", sys.version_info >= (3, 11)
    for library in LIBRARIES:
        try:
            yield library, metadata.version(library), True
        except metadata.PackageNotFoundError:
            yield library, "missing; run: pip install --force-reinstall realedit", False
    shadows = list(shadowed())
    yield from shadows
    if any(not good for _, _, good in shadows):
        return
    yield from _models()


def shadowed() -> Iterator[tuple[str, str, bool]]:
    """Whether `alignment`, `checkpoints` and `inversion` are realedit's own and not another's of the same
    name."""
    home = Path(__file__).parents[2]
    for name in PACKAGES:
        spec = util.find_spec(name)
        origin = Path(spec.origin).parent if spec is not None and spec.origin else None
        if origin is not None and origin == home / name:
            yield f"package {name}", "realedit's own", True
        else:
            yield (
                f"package {name}",
                f"{origin or 'another folder of that name'} stands before realedit's own; run elsewhere, or "
                "install realedit in an environment of its own (pipx)",
                False,
            )


def _cache() -> tuple[str, bool]:
    """Where the cache is, or why it cannot be used, which costs time alone."""
    from realedit.errors import OutputError
    from realedit.sessions import cache

    try:
        kept = len(cache.entries())
    except OutputError as error:
        return f"{error} Edits go on without it.", True
    folder = cache.sessions_folder()
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return f"nothing can be written into {there}; edits go on without it", True
    return f"{folder.parent}, {kept} inversions kept", True


def _models() -> Iterator[tuple[str, str, bool]]:
    """The devices, the bundled generator and its speed, and dlib's files: loaded, not only looked for."""
    from realedit.api import load_model
    from realedit.api.speed import devices, drag_speed, read_face_models
    from realedit.errors import AlignmentError, CheckpointError

    for name, what in devices():
        yield f"device {name}", what, True
    try:
        model = load_model(device="auto")
        sha256 = model.checkpoint.sha256[:12]
        yield "bundled model", f"{model.name}, {model.resolution} px, {sha256}", True
        seconds, dtype = drag_speed(model)
        yield "speed", f"{1000 * seconds:.1f} ms per drag step, in {dtype}", True
    except CheckpointError as error:
        yield "bundled model", str(error), False
    yield "cache", *_cache()
    try:
        read_face_models()
        yield "dlib's face models", "found and read", True
    except AlignmentError as error:
        yield "dlib's face models", str(error), False
