"""Packet reordering, complete: RFC 4737 and RFC 5236, from arrivals as they come, in bounded memory."""
