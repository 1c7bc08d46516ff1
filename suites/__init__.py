"""What users of the lab run."""
