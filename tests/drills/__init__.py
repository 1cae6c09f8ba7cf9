"""Drills: measurements of the running product, too long and too dependent on the machine for the tests of every day."""
