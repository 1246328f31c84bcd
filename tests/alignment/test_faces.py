from dataclasses import replace

import numpy as np
import pytest

from alignment import faces
from alignment.detection import Box, HogDetector
from alignment.errors import NoFaceError, OutsideError
from alignment.faces import Face, choose_face, find_faces, share_out
from alignment.geometry import ffhq_square


def shifted(face: Face, index: int, dx: float, dy: float = 0, scale: float = 1) -> Face:
    landmarks = (face.landmarks - face.alignment.centre) * scale + face.alignment.centre + (dx, dy)
    return Face(index, face.box, landmarks, ffhq_square(landmarks))


@pytest.fixture
def pair(face: Face) -> list[Face]:
    """Two heads side by side whose squares overlap, the right one larger."""
    return [shifted(face, 0, 0), shifted(face, 1, 0.8 * face.alignment.side, scale=1.3)]


def test_faces_are_numbered_from_the_left(portraits: list[np.ndarray]) -> None:
    height = max(photo.shape[0] for photo in portraits)
    row = [np.pad(photo, ((0, height - photo.shape[0]), (0, 0), (0, 0))) for photo in portraits]
    faces = find_faces(np.hstack(row), detector=HogDetector())
    assert [face.index for face in faces] == list(range(len(portraits)))
    edges = np.cumsum([0] + [photo.shape[1] for photo in portraits])
    for face, left, right in zip(faces, edges[:-1], edges[1:], strict=True):
        assert left < face.landmarks[30, 0] < right


def test_a_face_that_two_boxes_show_is_one_face(astronaut: np.ndarray, face: Face) -> None:
    box = face.box
    larger = Box(box.left - 40, box.top - 30, box.right + 50, box.bottom + 60, score=0.2)
    (only,) = find_faces(astronaut, detector=lambda pixels: [box, larger])
    assert only.box == box


def test_points_on_a_face_that_was_missed_find_it_and_renumber_none(
    astronaut: np.ndarray, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one on the left was missed, so it gets the next number."""
    wide = np.hstack([astronaut, astronaut])
    seen = replace(face.box, left=face.box.left + 512, right=face.box.right + 512)
    monkeypatch.setattr(faces, "FaceDetector", lambda models: lambda pixels: [seen])
    (known,) = find_faces(wide)
    (same,) = find_faces(wide, points=known.landmarks[:1])
    assert same.index == known.index == 0 and np.array_equal(same.landmarks, known.landmarks)
    both = find_faces(wide, points=[face.landmarks[54]])
    assert [each.index for each in both] == [0, 1]
    assert both[0].alignment == known.alignment
    assert choose_face(both, "auto", [face.landmarks[54]]).index == 1
    assert np.abs(both[1].landmarks - face.landmarks).max() < 3
    assert len(find_faces(wide, points=[(700, 500)])) == 1, "nothing is there"


def test_no_face_says_so() -> None:
    assert find_faces(np.zeros((40, 60, 3), np.uint8), detector=HogDetector()) == []
    with pytest.raises(NoFaceError, match="No face was found"):
        choose_face([])


def test_another_layout_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        find_faces(np.zeros((40, 60, 3), np.uint16))


def test_auto_takes_the_face_that_holds_the_points(pair: list[Face]) -> None:
    for face in pair:
        assert choose_face(pair, "auto", face.landmarks[[48, 54]]) is face
    assert choose_face(pair) is pair[1]
    assert choose_face(pair, "auto", []) is pair[1]


def test_where_squares_overlap_the_nearer_face_is_meant(pair: list[Face]) -> None:
    for face in pair:
        for index in range(68):
            point = face.landmarks[index] + (0.5, 0.5)
            if all(other.alignment.contains([point]).all() for other in pair):
                assert choose_face(pair, "auto", [point]) is face


def test_largest_and_numbers(pair: list[Face]) -> None:
    assert choose_face(pair, "largest") is pair[1]
    assert choose_face(pair, 0) is pair[0]
    assert choose_face(pair, "1") is pair[1]
    with pytest.raises(NoFaceError, match="no face 2; the photo has faces 0 to 1"):
        choose_face(pair, "2")
    with pytest.raises(NoFaceError, match="no face -1; the photo has only face 0"):
        choose_face(pair[:1], -1)
    with pytest.raises(ValueError, match="'biggest'"):
        choose_face(pair, "biggest")


def test_a_point_outside_names_itself_and_the_square(pair: list[Face]) -> None:
    inside = pair[0].landmarks[30]
    with pytest.raises(
        OutsideError,
        match=r"\(5, 500\) lies outside of every.*\d+ px outside.*face 0 \(with its corners at \d+,",
    ):
        choose_face(pair, "auto", [inside, (5, 500)])
    with pytest.raises(
        OutsideError, match=r"\(5, 500\) lies \d+ px outside of the aligned square of face 0 \("
    ):
        choose_face(pair, 0, [inside, (5, 500)])


def test_how_far_outside_is_measured_from_the_turned_square(face: Face) -> None:
    """A point can lie in the box around a turned square and yet outside of the square."""
    turned = replace(face, alignment=replace(face.alignment, angle=0.6))
    low, high = turned.alignment.corners().min(axis=0), turned.alignment.corners().max(axis=0)
    corner = low + 5
    assert (corner > low).all() and (corner < high).all()
    away = float(turned.alignment.beyond([corner])[0])
    assert away > 20
    with pytest.raises(OutsideError, match=f"{round(away)} px outside of that of face 0"):
        choose_face([turned], "auto", [corner])


def test_auto_prefers_a_face_that_the_frame_does_not_cut(pair: list[Face]) -> None:
    cut = [pair[0], replace(pair[1], whole=False)]
    assert choose_face(cut) is cut[0]
    assert choose_face(cut, "largest") is cut[1]
    assert choose_face(cut[1:]) is cut[1], "there is no other"


def test_a_face_knows_whether_the_frame_cuts_it(astronaut: np.ndarray, face: Face) -> None:
    assert face.whole
    mouth = int(face.landmarks[62, 1])
    (cut,) = find_faces(np.ascontiguousarray(astronaut[:mouth]), detector=lambda pixels: [face.box])
    assert not cut.whole


def test_points_on_two_faces_are_for_two_edits(pair: list[Face]) -> None:
    points = [pair[0].landmarks[0], pair[1].landmarks[16]]
    with pytest.raises(OutsideError, match="No face's square holds all the points"):
        choose_face(pair, "auto", points)


def _shared(faces: list[Face], choices: tuple[str, ...], drags: object = ()) -> dict[int, list[int]]:
    return {face.index: own for face, own in share_out(faces, choices, drags)}


def test_all_faces_and_several_numbers_come_from_the_left(pair: list[Face]) -> None:
    assert _shared(pair, ("all",)) == _shared(pair, ("1", "0", "1")) == {0: [], 1: []}
    assert _shared(pair, ("auto",)) == _shared(pair, ("largest",)) == {1: []}
    assert _shared(pair, ("0",)) == {0: []}


def test_each_drag_goes_to_the_face_it_lies_on(pair: list[Face]) -> None:
    left, right = (face.landmarks[[48, 54]] for face in pair)
    drags = [right, left, left + 1]
    for choices in (("auto",), ("all",), ("0", "1")):
        assert _shared(pair, choices, drags) == {0: [1, 2], 1: [0]}
    assert _shared(pair, ("auto",), [left, left]) == {0: [0, 1]}, "a face without drags is not meant"
    assert _shared(pair, ("all",), [left]) == {0: [0], 1: []}


def test_drags_off_the_faces_that_are_meant_are_refused(pair: list[Face]) -> None:
    off = np.full((1, 2, 2), 5000.0)
    for choices in (("auto",), ("all",), ("0",), ("0", "1")):
        with pytest.raises(OutsideError, match="5000"):
            share_out(pair, choices, off)
    with pytest.raises(NoFaceError, match="no face 7"):
        share_out(pair, ("0", "7"))
    with pytest.raises(NoFaceError, match="No face was found"):
        share_out([], ("all",))
    with pytest.raises(ValueError, match="'biggest'"):
        share_out(pair, ("0", "biggest"))
