"""The challenge service as a process, against the Authsignal simulator."""
