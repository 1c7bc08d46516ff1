"""IPv4 routing: does the router forward as RFC 1812 says, and how fast (RFC 2544)."""
