"""Where the reference files lie that are not part of the repository, and what to say without them."""

from pathlib import Path

import pytest

CONFORMANCE = Path(__file__).parents[2].parent / "shared" / "conformance"
CASES = sorted(path.stem for path in CONFORMANCE.glob("nvidia-*.safetensors"))

needs_conformance = pytest.mark.skipif(
    not CASES, reason=f"no reference outputs of the original networks in {CONFORMANCE}"
)
