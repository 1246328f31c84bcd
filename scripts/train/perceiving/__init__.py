"""What `scripts/train perception` is made of."""
