"""Whole pages of the product beside the same pages on FastAPI and on Django: same PostgreSQL, same rows, same answer."""
