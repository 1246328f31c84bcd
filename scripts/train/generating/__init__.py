"""What `scripts/train generator` and `evaluate` are made of."""
