"""The mail catcher: takes every message, delivers none, shows them all on one page."""
