"""RAW photos of cameras. rawpy (LibRaw) develops them; they are never written."""
