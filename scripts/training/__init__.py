"""Training of the bundled generator, and the figures that judge it."""
