"""Tests of lab/methods."""
