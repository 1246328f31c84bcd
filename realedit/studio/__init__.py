"""The studio: a page of this machine's own on which a person edits photos with the mouse."""
