"""Tests of the microbenchmarks."""
