"""Benchmarks: `python -m tests.benchmarks` measures the cases, `.growth` how they grow, `.tracing` following imports alone."""
