"""Devices under test, behind one protocol."""
