"""The template and the package of the triggers."""
