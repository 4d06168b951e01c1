"""Sealed days in a bucket under object lock: written, read back, and checked."""
