"""The demo retailer: real till files and web orders in, a real ERP out, on this machine alone."""
