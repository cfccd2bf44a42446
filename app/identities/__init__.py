"""External ids and ours: which name meant which of our objects at which moment."""
