"""The commands of `countersign audit`."""
