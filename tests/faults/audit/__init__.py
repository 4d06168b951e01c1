"""The audit service: faults tests."""
