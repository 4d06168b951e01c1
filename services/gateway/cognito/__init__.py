"""Cognito as the gateway uses it: sign-up, custom authentication, tokens, and looking an account up."""
