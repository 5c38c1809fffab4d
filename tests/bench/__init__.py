"""Benchmarks: each `bench_*.py` prints one JSON object of figures on its last line. No pass or fail."""
