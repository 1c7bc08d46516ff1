"""Turns of cores: what the compiled code does to memory (a trace), and what a description says that it does."""
