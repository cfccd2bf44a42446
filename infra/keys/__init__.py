"""Envelope encryption: a master key wraps one data key per retailer and month."""
