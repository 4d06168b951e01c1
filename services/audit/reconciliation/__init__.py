"""Three-way reconciliation: our log against Authsignal's records and Cognito's. Pure."""
