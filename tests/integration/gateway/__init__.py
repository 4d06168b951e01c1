"""The gateway through the whole stack: real Cognito emulation, real mail, real queue and database."""
