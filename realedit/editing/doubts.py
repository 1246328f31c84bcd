"""What will not work on a face, in words, before anybody looks at the result."""

from alignment.certainty import Certainty

_SPREAD = 0.015  # interocular distances; faces that are seen well stay below 0.012
_SHARP = 0.125  # photos in focus are above 0.17, and blurred by 1 % of the face's square at 0.1
_SCORE = -0.3
_TURNED = 1.6


SMALL = 128.0  # pixels of the square's side: what a small generator sees as large as it is
_GLASSES = 0.5


def concerns(certainty: Certainty, *, size: float, glasses: float) -> dict[str, str]:
    """What may go wrong on a face, a sentence by a word: `cut`, `unclear`, `turned`, `blurred`, `small`,
    `glasses`.

    size: the side of its square, photo pixels; glasses: 0 to 1, how sure it is that some are worn.
    """
    found = _doubted(certainty)
    if size < SMALL:
        found["small"] = (
            f"the face is small ({size:.0f} px with its surroundings), and what an edit adds has no more "
            "detail than that"
        )
    if glasses > _GLASSES:
        found["glasses"] = (
            "glasses are worn: frames may bend where the face behind them moves, so look at the result"
        )
    return found


def doubts(certainty: Certainty) -> tuple[str, ...]:
    """A sentence for each reason why an edit of the face may go wrong; none for a face that is seen well."""
    return tuple(_doubted(certainty).values())


def _doubted(certainty: Certainty) -> dict[str, str]:
    found = {}
    if not certainty.whole:
        found["cut"] = "the frame cuts this face; what lies outside of the photo cannot be moved into it"
    if certainty.spread > _SPREAD or certainty.score is None:
        found["unclear"] = (
            "it is not sure where the eyes, nose and mouth of this face are: it may be covered, seen from "
            "the side or no human face; recipes may move the wrong places, so look at the result"
        )
    elif certainty.score < _SCORE:
        found["unclear"] = "this hardly looks like a face; look at the result"
    if abs(certainty.turn) > _TURNED:
        side = "right" if certainty.turn > 0 else "left"
        found["turned"] = (
            f"the head is turned far to the {side}, and the model knows few such faces: what lies on the far "
            "side moves too little"
        )
    if certainty.sharpness < _SHARP:
        found["blurred"] = (
            "the face is blurred: small movements, of lids and lips, will hardly show, and what the model "
            "adds is sharper than the photo"
        )
    return found
