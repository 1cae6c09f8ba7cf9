"""What `python -m app` can do, one command a module."""
