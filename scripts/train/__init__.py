"""Training of what comes with the package, and the figures that judge it: `python scripts/train NAME`."""
