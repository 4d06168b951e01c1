"""The CloudFormation template, deployed into the emulator, exercised through AWS's own APIs."""
