"""Today: is the shop all right, must somebody do something."""
