"""Sessions: an opaque cookie outside, Cognito's tokens inside, sealed."""
