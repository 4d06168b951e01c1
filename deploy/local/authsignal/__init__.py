"""A local Authsignal: speaks the service's wire contract, keeps its own accounts, sends real mail."""
