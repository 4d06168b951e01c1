"""The audit service: integration tests."""
