"""Holds that close themselves: the target has the record by now, or our own cause is gone."""
