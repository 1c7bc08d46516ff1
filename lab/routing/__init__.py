"""Routing tables for tests: one in the shape of the public Internet's, its traffic, and what must come of it."""
