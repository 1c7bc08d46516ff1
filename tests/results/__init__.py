"""Tests of lab/results."""
