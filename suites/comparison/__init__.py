"""Two images against each other, in turns on one testbed: which one forwards more, and how sure that is."""
