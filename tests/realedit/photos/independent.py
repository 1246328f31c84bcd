"""Readers and writers of other people, to compare with: ImageMagick and libtiff's tools."""

import itertools
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray


def _imagemagick() -> str | None:
    """ImageMagick's command, which is `magick` from version 7 on; another program may be called `convert`."""
    for name in ("magick", "convert"):
        if shutil.which(name):
            said = subprocess.run([name, "-version"], capture_output=True, text=True, check=False).stdout
            if "ImageMagick" in said:
                return name
    return None


IMAGEMAGICK = _imagemagick()
needs_imagemagick = pytest.mark.skipif(IMAGEMAGICK is None, reason="ImageMagick is not installed")
needs_libtiff = pytest.mark.skipif(shutil.which("tiffcp") is None, reason="libtiff's tools are not installed")


def run(*command: str | Path) -> bytes:
    """What a command prints."""
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    assert done.returncode == 0, f"{command[0]} ... {command[-1]}: {done.stderr.decode()[-500:]}"
    return done.stdout


def seen(paths: Sequence[Path], sizes: Sequence[tuple[int, int]]) -> list[NDArray[np.uint16]]:
    """The displayed RGBA [h, w, 4] of each file, as ImageMagick shows it; `sizes` are (width, height)."""
    pixels = np.frombuffer(
        run(str(IMAGEMAGICK), *[f"{path}[0]" for path in paths], "-auto-orient", *_RAW), np.uint16
    )
    ends = np.cumsum([4 * width * height for width, height in sizes])
    assert ends[-1] == len(pixels)
    parts = np.split(pixels, ends[:-1])
    return [part.reshape(height, width, 4) for part, (width, height) in zip(parts, sizes, strict=True)]


_RAW = ("-colorspace", "sRGB", "-depth", "16", "-endian", "LSB", "rgba:-")


def pairs(choices: dict[str, Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Combinations in which any two values of different `choices` meet at least once."""
    names, generator = list(choices), random.Random(0)
    missing = {
        ((one, a), (other, b))
        for one, other in itertools.combinations(names, 2)
        for a in choices[one]
        for b in choices[other]
    }
    while missing:
        tried = [{name: generator.choice(choices[name]) for name in names} for _ in range(50)]
        first = min(missing, key=repr)
        tried = [{**combination, **dict(first)} for combination in tried]
        best = max(tried, key=lambda combination: len(_met(combination, names) & missing))
        missing -= _met(best, names)
        yield best


def _met(combination: dict[str, Any], names: list[str]) -> set[tuple[tuple[str, Any], tuple[str, Any]]]:
    return {
        ((one, combination[one]), (other, combination[other]))
        for one, other in itertools.combinations(names, 2)
    }
