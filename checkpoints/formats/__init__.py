"""Other people's checkpoint files, read into our tensors."""

from .codes import sample_codes
from .foreign import read_foreign, read_state_dict

__all__ = ["read_foreign", "read_state_dict", "sample_codes"]
