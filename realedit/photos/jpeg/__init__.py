"""JPEG. An edit leaves every coefficient outside of it as it was.

Our own: the list of segments, scans that are coded again from coefficients, and the metadata around them.
jpeglib (libjpeg) reads the coefficients, Pillow (libjpeg-turbo) the pixels.
"""
