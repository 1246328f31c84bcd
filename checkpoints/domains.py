"""What a generator draws, and so how photos must be aligned for it."""

import re
from typing import Final, Literal

Alignment = Literal["ffhq", "box"]

DOMAINS: Final = (
    "face",
    "cat",
    "dog",
    "animal",
    "car",
    "horse",
    "church",
    "landscape",
    "body",
    "art",
    "unknown",
)

# Words in the names of data sets and files; the first row that matches counts.
_WORDS: Final = (
    (r"metfaces\w*|portraits?|paintings?|art", "art"),
    (r"shhq|deepfashion|bod(y|ies)", "body"),
    (r"(afhq|lsun)?cats?", "cat"),
    (r"(afhq|lsun)?dogs?", "dog"),
    (r"(lsun)?horses?", "horse"),
    (r"(lsun)?cars?", "car"),
    (r"(lsun)?church(es)?", "church"),
    (r"landscapes?|lhq", "landscape"),
    (r"afhq\w*|lions?|elephants?|animals?", "animal"),
    (r"ffhq\w*|celeba\w*|faces?", "face"),
)


def guess_domain(*hints: str) -> str:
    """The domain that the name of a data set or file suggests, or "unknown"; earlier hints weigh more.

    Only this is ever taken from a name, never the shape of the network.
    """
    for hint in hints:
        words = re.findall(r"[a-z]+", hint.lower())
        for pattern, domain in _WORDS:
            if any(re.fullmatch(pattern, word) for word in words):
                return domain
    return "unknown"


def default_alignment(domain: str) -> Alignment:
    """How photos become crops in a domain: by facial landmarks as in FFHQ (faces, and MetFaces' art), or a
    box.
    """
    return "ffhq" if domain in ("face", "art") else "box"
