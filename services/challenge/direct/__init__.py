"""Sign-ins and actions of apps that talk to Cognito themselves, with Authsignal's Web SDK: off unless it is switched on."""
