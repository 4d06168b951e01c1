"""Sealing: committed entries become leaves of the tree, under a signed checkpoint."""
