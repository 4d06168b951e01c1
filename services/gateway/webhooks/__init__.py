"""Webhooks from Authsignal: read, recorded, and answered."""
