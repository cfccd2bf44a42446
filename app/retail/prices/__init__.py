"""Prices, promotions and stop-sales: told once, valid by the clock of each place, followed there."""
