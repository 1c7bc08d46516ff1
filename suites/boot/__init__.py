"""Boot: what booted, and how long it took."""
