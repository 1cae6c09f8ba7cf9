"""Connections: accounts elsewhere (Google, Microsoft, GitHub, any OpenID Connect issuer) by which a person can log in here."""
