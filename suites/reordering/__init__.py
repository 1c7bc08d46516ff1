"""In-order I/O: frames of a flow leave in the order in which they came (RFC 4737), at full load, on any cores."""
