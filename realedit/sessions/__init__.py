"""The state of an edit: a session in memory, its folder, and the cache of inversions."""
