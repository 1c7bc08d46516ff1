"""Which model it is: what was calibrated or predicted with another one cannot be compared."""

MODEL_VERSION = "7"
"""Changes whenever the model's answers do."""
