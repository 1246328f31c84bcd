"""What `scripts/train motions` is made of."""
