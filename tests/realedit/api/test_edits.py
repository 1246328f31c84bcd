"""The interface for programs: the command line's bytes, photos from anywhere, errors that name the value."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import realedit
from checkpoints import Checkpoint
from realedit.errors import OutputError, UsageError
from realedit.photos import read_photo
from tests.realedit.cli.running import call
from tests.realedit.samples import PUSH, box_checkpoint, picture, png, save_model

pytestmark = pytest.mark.usefixtures("small_paste")

WAY = ((40.0, 40.0), (46.0, 40.0))
QUICK = {"projection.steps": 2, "tuning.steps": 0}
FLAGS = ("--set", "projection.steps=2", "--set", "tuning.steps=0", "--reach", "all", "--max-steps", "4")
SETTINGS = realedit.DragSettings(max_steps=4)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return box_checkpoint(seed=3)


@pytest.fixture
def model(checkpoint: Checkpoint, tmp_path: Path) -> str:
    return str(save_model(checkpoint, tmp_path / "model.safetensors"))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return png(tmp_path / "photo.png", picture())


def _edit(photo: object, model: str, **changes: object) -> realedit.Result:
    asked = {"drags": [WAY], "reach": "all", "inversion": QUICK, "settings": SETTINGS, "model": model}
    return realedit.edit(photo, **{**asked, **changes})  # type: ignore[arg-type]


def test_the_command_line_and_the_interface_write_the_same_bytes_and_report(
    photo: Path,
    model: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [
        "edit",
        str(photo),
        "-o",
        str(tmp_path / "cli.jpg"),
        "--drag",
        "40,40:46,40",
        "--model",
        model,
    ]
    told = call([*arguments, *FLAGS, "--json"], monkeypatch, capsys)
    assert told.code == 0, told.err
    result = _edit(photo, model)
    assert result.save(tmp_path / "api.jpg") == tmp_path / "api.jpg"
    assert (tmp_path / "api.jpg").read_bytes() == (tmp_path / "cli.jpg").read_bytes()
    printed, report = json.loads(told.out), result.report.as_json()
    for each in (printed, report):
        del each["seconds"], each["output"]
    assert report == json.loads(json.dumps(printed)), "what --json prints"
    assert result.report.output == tmp_path / "api.jpg"
    assert result.encode(".jpg") == (tmp_path / "api.jpg").read_bytes()


def test_a_recipe_is_named_in_every_way_and_does_the_same(photo: Path, model: str, tmp_path: Path) -> None:
    file = tmp_path / "push.toml"
    file.write_text(PUSH)
    ways: list[object] = [f"{file}:0.5", [f"{file}:0.5"], [(file, 0.5)]]
    made = [_edit(photo, model, drags=(), recipes=each).pixels for each in ways]
    made.append(_edit(photo, model, drags=(), recipes=file, strength=0.5).pixels)
    assert all(np.array_equal(each, made[0]) for each in made)
    assert not np.array_equal(made[0], read_photo(photo).view())


def test_a_photo_is_opened_from_a_file_bytes_a_stream_and_an_array(photo: Path) -> None:
    content = photo.read_bytes()
    pixels = np.asarray(Image.open(photo))
    for each in (
        realedit.open(photo),
        realedit.open(str(photo)),
        realedit.open(content),
        realedit.open(io.BytesIO(content)),
        realedit.Photo.from_array(pixels),
        realedit.Photo.from_array(Image.fromarray(pixels)),  # type: ignore[arg-type]
    ):
        assert each.size == (96, 80) and each.format == "PNG" and each.depth == 8
        np.testing.assert_array_equal(np.asarray(each.image), pixels)
        np.testing.assert_array_equal(each.pixels, pixels)
    deep = (pixels.astype(np.uint16) << 8) + 7
    assert np.array_equal(realedit.Photo.from_array(deep).pixels, deep)
    grey = realedit.Photo.from_array(pixels[..., 0]).pixels
    assert np.array_equal(grey, np.repeat(pixels[..., :1], 3, axis=2))


def test_an_edited_photo_is_edited_again(photo: Path, model: str) -> None:
    once = _edit(photo, model)
    twice = _edit(once.photo, model, drags=[((40.0, 40.0), (40.0, 34.0))])
    assert not np.array_equal(twice.pixels, once.pixels)
    assert np.array_equal(np.asarray(twice.image), twice.pixels), "sRGB as it is"


def test_a_mask_may_be_an_array(photo: Path, model: str) -> None:
    mask = np.zeros((80, 96), bool)
    mask[:, :60] = True
    result = _edit(photo, model, mask=mask)
    assert result.changed is not None and result.changed[2] <= 60
    same = _edit(photo, model, mask=mask.astype(np.uint8) * 255)
    assert np.array_equal(result.pixels, same.pixels)
    with pytest.raises(UsageError, match="96 x 80"):
        _edit(photo, model, mask=mask[:10])
    with pytest.raises(UsageError, match="black at the handle"):
        _edit(photo, model, mask=~mask)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"drags": ()}, "nothing to do"),
        ({"drags": [(1, 2)]}, "handle and target"),
        ({"drags": [((np.nan, 2), (3, 4))]}, "not a number"),
        ({"drags": (), "recipes": "smlie"}, "no recipe 'smlie'"),
        ({"drags": (), "recipes": [3]}, "is no recipe"),
        ({"quality": "fast"}, "unknown quality 'fast'"),
        ({"inversion": {"tuning.stps": 1}}, "no setting 'tuning.stps'"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"box": (1, 2)}, "a box is"),
        ({"face": "2", "box": (0, 0, 50, 50)}, "a box and a face"),
    ],
)
def test_what_makes_no_sense_is_told(photo: Path, model: str, changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        _edit(photo, model, **changes)


def test_the_original_is_never_written_over(photo: Path, model: str) -> None:
    before = photo.read_bytes()
    result = _edit(photo, model)
    for act in (result.save, result.compare, result.mark):
        with pytest.raises(OutputError, match="never changed"):
            act(photo)
    assert photo.read_bytes() == before


def _opened(path: Path) -> tuple[tuple[int, int], int]:
    """Size and frames."""
    with Image.open(path) as picture:
        return picture.size, getattr(picture, "n_frames", 1)


def test_a_result_is_shown_compared_and_marked(photo: Path, model: str, tmp_path: Path) -> None:
    result = _edit(photo, model, record=True)
    for each in (result, result.photo, result.before):
        assert Image.open(io.BytesIO(each._repr_png_())).format == "PNG"
    assert _opened(result.compare(tmp_path / "pair.png"))[0][0] > 2 * 96
    assert b"<html" in result.compare(tmp_path / "slider.html").read_bytes().lower()
    assert _opened(result.mark(tmp_path / "marked.png")) == ((96, 80), 1)
    assert _opened(result.timelapse(tmp_path / "drag.gif"))[1] > 1
    with pytest.raises(UsageError, match="record=True"):
        _edit(photo, model).timelapse(tmp_path / "other.gif")
    assert result.changed is not None and "changed in" in repr(result)


def test_many_photos_are_inverted_together(model: str, tmp_path: Path) -> None:
    photos = [png(tmp_path / f"{i}.png", picture(seed=i)) for i in range(3)]
    asked = {"drags": [WAY], "reach": "all", "inversion": QUICK, "settings": SETTINGS, "cache": False}
    loaded = realedit.load_model(model)
    edits = [realedit.prepare(each, model=loaded, **asked) for each in photos]  # type: ignore[arg-type]
    made = [each.finish() for each in realedit.invert(edits)]
    for photo, result in zip(photos, made, strict=True):
        alone = _edit(photo, model, cache=False).pixels.astype(int)
        assert np.abs(result.pixels - alone).max() <= 24 and result.changed is not None
    other = realedit.prepare(photos[0], model=loaded, **{**asked, "seed": 1})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="one model"):
        realedit.invert([*edits, other])
    assert realedit.invert([]) == []
