"""What will not work on a face, in words, before anybody looks at the result."""

from alignment.certainty import Certainty

_SPREAD = 0.015  # interocular distances; faces that are seen well stay below 0.012
_SHARP = 0.125  # photos in focus are above 0.17, and blurred by 1 % of the face's square at 0.1
_SCORE = -0.3
_TURNED = 1.6


def doubts(certainty: Certainty) -> tuple[str, ...]:
    """A sentence for each reason why an edit of the face may go wrong; none for a face that is seen well."""
    found = []
    if not certainty.whole:
        found.append("the frame cuts this face; what lies outside of the photo cannot be moved into it")
    if certainty.spread > _SPREAD or certainty.score is None:
        found.append(
            "it is not sure where the eyes, nose and mouth of this face are: it may be covered, seen from "
            "the side or no human face; recipes may move the wrong places, so look at the result"
        )
    elif certainty.score < _SCORE:
        found.append("this hardly looks like a face; look at the result")
    if abs(certainty.turn) > _TURNED:
        side = "right" if certainty.turn > 0 else "left"
        found.append(
            f"the head is turned far to the {side}, and the model knows few such faces: what lies on the far "
            "side moves too little"
        )
    if certainty.sharpness < _SHARP:
        found.append(
            "the face is blurred: small movements, of lids and lips, will hardly show, and what the model "
            "adds is sharper than the photo"
        )
    return tuple(found)
