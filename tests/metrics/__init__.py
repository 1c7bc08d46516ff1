"""Tests of lab/metrics."""
