"""Comparisons with peers: `python -m benchmarks` measures them side by side in one run and prints ratios."""
