"""Moving pictures: what the frames show, and that the files hold them."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from realedit.compare import Pair
from realedit.compare.animation import (
    BLINK,
    FRAMES_PER_SECOND,
    REST,
    Frame,
    blink,
    check_encoder,
    wipe,
    write_animation,
)
from realedit.errors import OutputError, UsageError
from tests.realedit.samples import smooth_picture

PAIR = Pair(smooth_picture(61, 47, seed=1), smooth_picture(61, 47, seed=2))


def test_a_wipe_goes_from_before_to_after_and_back() -> None:
    pair = Pair(np.zeros((40, 60, 3), np.uint8), np.full((40, 60, 3), 99, np.uint8))
    frames = list(wipe(pair))
    rests = [frame for frame in frames if frame.seconds == REST]
    assert np.array_equal(rests[0].picture, pair.before) and np.array_equal(rests[1].picture, pair.after)
    shown = [float((frame.picture == pair.before).mean()) for frame in frames]
    turn = frames.index(rests[1])
    line = 0.06  # of the picture, under which either may lie
    assert all(a >= b - line for a, b in itertools.pairwise(shown[: turn + 1]))
    assert all(a <= b + line for a, b in itertools.pairwise(shown[turn:]))
    assert any(0.4 < share < 0.6 for share in shown)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_pillow_reads_back_what_was_written(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    write_animation(path, blink(PAIR))
    with Image.open(path) as file:
        assert file.n_frames == 2 and file.info["loop"] == 0
        for frame, wanted in zip(ImageSequence.Iterator(file), (PAIR.before, PAIR.after), strict=True):
            got = np.asarray(frame.convert("RGB"), int)
            assert np.abs(got - wanted).mean() < 12
            assert frame.info["duration"] == BLINK * 1000


def test_what_stays_still_in_a_gif_does_not_flicker(tmp_path: Path) -> None:
    after = PAIR.before.copy()
    after[:, :10] = 255 - after[:, :10]
    write_animation(tmp_path / "a.gif", wipe(Pair(PAIR.before, after)))
    with Image.open(tmp_path / "a.gif") as file:
        frames = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]
    first, last = frames[0][:, 40:], frames[len(frames) // 2][:, 40:]
    assert np.array_equal(first, last)


def test_an_mp4_is_h264_that_browsers_play(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    from realedit.compare.pair import resized

    pair = Pair(*(resized(each, (161, 121)) for each in (PAIR.before, PAIR.after)))
    path = tmp_path / "a.mp4"
    write_animation(path, blink(pair))
    with av.open(str(path)) as file:
        context = file.streams.video[0].codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", 162, 122)
        assert context.colorspace == 1, "BT.709"
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == 2 * BLINK * FRAMES_PER_SECOND
    for frame, wanted in ((frames[0], pair.before), (frames[-1], pair.after)):
        assert np.abs(frame[:121, :161].astype(int) - wanted).mean() < 10
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "the index is in front"


def test_mp4_without_pyav_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("realedit.compare.animation.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"realedit\[video\].*\.webp"):
        check_encoder(Path("a.mp4"))
    check_encoder(Path("a.gif"))


def test_other_names_and_places_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"a\.avi"):
        write_animation(tmp_path / "a.avi", blink(PAIR))
    with pytest.raises(OutputError, match="none"):
        write_animation(tmp_path / "none" / "a.gif", blink(PAIR))

    def broken() -> itertools.chain[Frame]:
        return itertools.chain(blink(PAIR), (1 / 0 for _ in range(1)))  # type: ignore[arg-type]

    for suffix in (".gif", ".webp", ".mp4"):
        if suffix == ".mp4":
            pytest.importorskip("av")
        with pytest.raises(ZeroDivisionError):
            write_animation(tmp_path / f"a{suffix}", broken())
    assert list(tmp_path.iterdir()) == []
