"""Letting go of old months: what may be dropped, the drop, and the signed statement that it leaves."""
