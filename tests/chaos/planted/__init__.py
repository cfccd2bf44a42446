"""A connector that does what no connector should, for the runs that try it; in no catalogue."""
