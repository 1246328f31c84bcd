"""Many photos: one engine and one ledger for a batch and for a watched folder, local processes or Ray."""
