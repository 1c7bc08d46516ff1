"""Traffic generators behind one protocol; the TRex driver; streams made from a trial's request."""
