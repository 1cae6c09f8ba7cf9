"""Confirming that it is you: a fresh proof of identity, asked of somebody who is logged in before something dangerous."""
