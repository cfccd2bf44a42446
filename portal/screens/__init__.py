"""Screens: one folder each, none knows another."""
