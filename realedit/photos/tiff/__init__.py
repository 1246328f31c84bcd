"""TIFF: its first page.

Our own: the tree of directories, laid out anew around what is kept. tifffile and imagecodecs decode the
pixels; zlib packs them.
"""
