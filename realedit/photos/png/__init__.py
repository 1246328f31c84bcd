"""PNG with every chunk that an edit leaves true.

Our own: the list of chunks, and the metadata in them. Pillow decodes up to 8 bits, OpenCV
(libpng) 16; zlib packs them.
"""
