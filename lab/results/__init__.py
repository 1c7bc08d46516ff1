"""What a run leaves behind: a journal while it runs, and results.json built from it."""
