"""HEIC and AVIF, which share a container.

Our own: a look into the boxes, and metadata items that are changed in place. pillow-heif (libheif) codes
HEIC, Pillow (libavif) codes AVIF.
"""
