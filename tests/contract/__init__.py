"""The Authsignal simulator, held to the wire contract by the real Node, Python and browser SDKs."""
