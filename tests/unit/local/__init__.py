"""The pieces of the local stack that need no process."""
