"""The one-command stack itself: how it starts, fails, stops and starts again."""
