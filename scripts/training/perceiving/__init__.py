"""What `train_perception.py` is made of."""
