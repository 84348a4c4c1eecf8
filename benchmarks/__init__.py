"""Benchmarks: the speed of the product, as a ratio to a peer in the same run."""
