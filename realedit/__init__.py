"""realedit: edit real photographs by dragging points."""

__version__ = "0.1.0"

__all__ = ["__version__"]
