"""Tests: the audit console, in a browser."""
