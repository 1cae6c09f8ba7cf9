"""Logging in without a password: by a link or a short code that we mail."""
