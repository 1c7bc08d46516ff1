"""False sharing: what it costs that words of different cores lie in one cache line, measured and simulated."""
