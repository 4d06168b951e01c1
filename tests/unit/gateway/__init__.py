"""The rules and parts of the gateway."""
