"""Machines: what this host can do, and the virtual machine that runs on it."""
