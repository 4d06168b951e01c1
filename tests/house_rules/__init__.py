"""Tests: house_rules."""
