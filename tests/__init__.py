"""The test suite; see docs/testing.md for what lives where."""
