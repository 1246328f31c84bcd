"""The trade-off of inversions as a picture: likeness against how well the handles can still be dragged."""

import cv2
import numpy as np
from numpy.typing import NDArray


def plot(points: dict[str, tuple[float, float]], generated: float) -> NDArray[np.uint8]:
    """Identity to the right, handle error upwards: the lower left corner is best. `[480, 720, 3]` BGR."""
    picture = np.full((480, 720, 3), 255, np.uint8)
    identities, errors = zip(*points.values(), strict=True)
    low, high = (0.0, 0.0), (max(identities) * 1.5, max(*errors, generated) * 1.2)

    def place(identity: float, error: float) -> tuple[int, int]:
        return int(60 + 620 * (identity - low[0]) / (high[0] - low[0])), int(430 - 390 * error / high[1])

    def say(text: str, at: tuple[int, int], colour: tuple[int, int, int] = (0, 0, 0)) -> None:
        cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA)

    cv2.line(picture, place(0, 0), place(high[0], 0), (0, 0, 0))
    cv2.line(picture, place(0, 0), place(0, high[1]), (0, 0, 0))
    for tick in np.arange(0, high[0], 0.1):
        say(f"{tick:.1f}", (place(tick, 0)[0] - 10, 446))
    for tick in np.arange(0, high[1], 2):
        say(f"{tick:.0f}", (34, place(0, tick)[1] + 4))
    say("identity distance to the photo, median", (230, 468))
    say("handle error, px of 512, median", (20, 24))
    cv2.line(picture, place(0, generated), place(high[0], generated), (200, 160, 60))
    say("generated pictures", (place(0, 0)[0] + 6, place(0, generated)[1] - 5), (200, 160, 60))
    taken: list[tuple[int, int]] = []
    for name, (identity, error) in sorted(points.items(), key=lambda item: -item[1][1]):
        x, y = place(identity, error)
        cv2.circle(picture, (x, y), 4, (40, 40, 200), -1, cv2.LINE_AA)
        beside = (x + 8, y + 4)
        while any(abs(beside[0] - left) < 160 and abs(beside[1] - line) < 14 for left, line in taken):
            beside = (beside[0], beside[1] + 2)  # below the names that are there
        taken.append(beside)
        say(name, beside)
    return picture
