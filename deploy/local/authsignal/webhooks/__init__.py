"""Webhooks: what is told to whom, signed how, and what happens when nobody listens."""
