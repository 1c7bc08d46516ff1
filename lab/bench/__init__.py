"""Benchmarks: ratios measured side by side in one run, one JSON object a line."""
