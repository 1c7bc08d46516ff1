"""What people read: the report of a run, one HTML file that needs no network, and results as lines of text."""
