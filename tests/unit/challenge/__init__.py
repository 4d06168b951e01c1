"""The rules and parts of the challenge service."""
