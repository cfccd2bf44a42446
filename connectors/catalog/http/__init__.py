"""Generic HTTP: signed JSON in, signed JSON out, for any system that speaks it."""
