"""Where an edit acts: masks, the reach of a drag, and the square of a photo that the generator sees."""
