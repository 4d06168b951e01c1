"""Tests: every weakness of the reference demo, tried on the running product."""
