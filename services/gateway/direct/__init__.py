"""The API of apps that talk to Cognito themselves, with its access token as Bearer: `/v1/direct`, off unless it is switched on."""
