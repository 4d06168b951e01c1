"""The challenge service: the only one that knows Authsignal. It decides, and it mints the assertions that Cognito takes."""
