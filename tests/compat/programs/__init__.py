"""Checks of other people's programs, one file or more for each; `python -m tests.compat` runs them on core."""
