"""pixlab: a hardware-in-the-loop benchmarking and verification lab for the PIX networking operating system."""

__version__ = "0.1.0"
