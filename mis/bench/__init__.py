"""Benchmarks: each room against the plainest SQL that gives the same rows, in the same run."""
