"""The API of apps that talk to Cognito themselves, with its access token as Bearer: off unless it is switched on."""
