"""How an edit is pasted into its photo."""

from dataclasses import dataclass, field

from realedit.compositing.change import ChangeSettings
from realedit.plumbing.choices import Mode


@dataclass(frozen=True, kw_only=True)
class PasteSettings:
    """mode: how to paste. change: how the change is described."""

    mode: Mode = "detail"
    change: ChangeSettings = field(default_factory=ChangeSettings)
