"""What the tests of whole edits share."""

import pytest

from realedit.compositing import ChangeSettings


@pytest.fixture
def small_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    """The paste compares squares of 128 pixels instead of 512, which takes a tenth of the time.

    It is for tests that are not about what the paste looks like. A command in a process of its own does
    not know of it.
    """
    defaults = ChangeSettings.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "size", 128)
