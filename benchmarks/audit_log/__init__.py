"""A log of millions of entries: what it costs to keep it, ask it, verify it and let it go."""
