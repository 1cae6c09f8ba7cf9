"""E-mail: rows of the business transaction, delivered by the worker through a provider's HTTP API."""
