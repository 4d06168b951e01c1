"""AWS as code: one CloudFormation template, and the small tool that packages the triggers and deploys it."""
