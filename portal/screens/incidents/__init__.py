"""Incidents of one retailer, and causes over all retailers."""
