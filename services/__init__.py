"""The product's processes: gateway, challenge and audit. They never import one another."""
