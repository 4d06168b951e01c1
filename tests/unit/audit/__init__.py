"""The audit service: unit tests."""
