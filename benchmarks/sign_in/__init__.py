"""One sign-in by e-mail code, and what it costs gateway and challenge service."""
