"""The checks that the simulator is judged by (docs/simulation.md), each in a module of its own."""
