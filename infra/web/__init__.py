"""The web floor: what stands between a socket and a route, and how refusals are told."""
