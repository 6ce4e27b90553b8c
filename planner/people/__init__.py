"""People who log in: accounts, passwords, second factors, sessions, tokens."""
