"""What the simulated cores and devices do: one module a workload, each builds a scene."""
