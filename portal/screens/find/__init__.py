"""The life line of one order, item or receipt."""
