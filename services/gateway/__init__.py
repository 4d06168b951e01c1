"""The gateway: the public edge. Attempts, sessions and accounts over HTTPS and JSON; tokens never leave it."""
