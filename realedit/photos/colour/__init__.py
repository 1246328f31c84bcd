"""Colour: from ICC profiles to sRGB and back.

Our own: profiles of curves and a matrix, which are inverted exactly. LittleCMS (through Pillow) does those of
tables.
"""
