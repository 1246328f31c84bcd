"""The systemd unit in docs/service.md."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs" / "service.md"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_the_unit_in_the_docs_is_right(tmp_path: Path) -> None:
    found = re.search(r"```ini\n(.*?)```", DOCS.read_text(), re.S)
    assert found is not None
    text = found[1].replace("%h/.local/bin/realedit", sys.executable)
    unit = tmp_path / "realedit.service"
    unit.write_text(text)
    result = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in result.stderr.splitlines() if "realedit.service" in line]
    assert result.returncode == 0 and not ours, result.stderr
    unit.write_text(text.replace("KillMode=mixed", "KillMode=gently"))
    result = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert "realedit.service" in result.stderr, "the check finds nothing wrong with a wrong unit"
