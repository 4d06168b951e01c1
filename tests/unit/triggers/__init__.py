"""The four Cognito triggers, as functions of their event."""
