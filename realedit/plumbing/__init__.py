"""What every room uses and knows nothing of faces: files, places, devices, threads, timing, printing."""
