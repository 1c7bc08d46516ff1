"""Cache-coherence simulation of the measured machines: what they should do, with false sharing on and off."""
