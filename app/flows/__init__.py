"""Flows: blueprints, their installation for a retailer, and the routes of events that follow."""
