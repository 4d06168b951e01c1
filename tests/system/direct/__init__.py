"""Apps that talk to Cognito themselves, with the AWS SDK and Authsignal's Web SDK as they come from npm."""
