"""Tests of lab/nightly."""
