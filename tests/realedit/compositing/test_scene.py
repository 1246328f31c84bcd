"""Parts in one photo: what is around them is looked at once, and they slide as without being remembered."""

import numpy as np
import pytest

from realedit.compositing import scene
from realedit.compositing.features import Features, Moves
from realedit.compositing.layers import slide
from realedit.compositing.lids import Lids
from realedit.compositing.scene import Scene
from realedit.compositing.skin import Skin
from tests.realedit.compositing.faces import drawn, points
from tests.realedit.samples import photo_of


def test_a_photo_is_looked_at_once_however_often_its_parts_slide(monkeypatch: pytest.MonkeyPatch) -> None:
    face = points(100.0, centre=(300.0, 300.0))
    photo = photo_of(drawn(face, (600, 600)))
    features = Features.of(face)
    assert features is not None
    looked = {"skin": 0, "glasses": 0}
    around, glasses = Skin.around, scene.wears_glasses

    def counted_skin(*arguments: object) -> Skin:
        looked["skin"] += 1
        return around(*arguments)  # type: ignore[arg-type]

    def counted_glasses(*arguments: object) -> float:
        looked["glasses"] += 1
        return glasses(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Skin, "around", counted_skin)
    monkeypatch.setattr(scene, "wears_glasses", counted_glasses)
    kept = Scene(features, photo)
    assert kept.slides(Moves()) == [] and looked == {"skin": 0, "glasses": 0}, "nothing moves"
    for upper in (0.3, 0.6, 1.0):
        moves = Moves(left_eye=Lids(upper, 0.0))
        shown = slide(photo, kept.slides(moves)).view()
        assert np.array_equal(shown, slide(photo, Scene(features, photo).slides(moves)).view())
        assert (shown != photo.view()).any()
    assert looked == {"skin": 1 + 3, "glasses": 1 + 3}, "once by the one, and by each of the others"
