"""Chaos on a large scale: see tests/faults/audit/chaos.py."""
