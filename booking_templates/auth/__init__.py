"""Buyer accounts: sign-up, login, sessions, passwords, and the tokens that the other services believe."""
