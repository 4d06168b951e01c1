"""The one-command local stack: real parts on loopback, no account anywhere."""
