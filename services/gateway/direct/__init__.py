"""The API of apps that talk to Cognito themselves: `/v1/direct`, with Cognito's access token as Bearer; off unless switched on."""
