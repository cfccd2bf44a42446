"""Now: which retailer loses money, and whether somebody is on it."""
