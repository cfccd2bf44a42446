"""The oversell benchmark: how often two buyers get the last unit, by the way stock is published."""
