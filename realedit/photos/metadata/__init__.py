"""What a photo says beside its pixels, kept true through an edit.

Our own: all of it, since blocks are edited in place. c2pa-python signs.
"""
