"""Runs Starlette's own test suite against core.

`python -m tests.conformance` downloads the suite once, makes `import starlette` mean `core`, runs every test and compares
what failed with known_misses.txt. Arguments are passed on to pytest: `python -m tests.conformance -k routing`.
"""
