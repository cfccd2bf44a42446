"""A bad Monday in fifteen minutes: the weekend's troubles, and what an operator does about them."""
