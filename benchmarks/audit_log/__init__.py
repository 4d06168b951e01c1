"""Questions to an audit log of millions of entries."""
