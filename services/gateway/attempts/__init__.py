"""Attempts: one try of one person to sign up or in, from the first request to a session."""
