"""Screens for people: operators, partners and retailers."""
