"""PNG with every chunk that an edit leaves true.

Our own: the list of chunks, and the metadata in them. OpenCV (libpng) decodes the pixels; zlib packs them.
"""
