"""The retail core: what goods, orders and money mean, whoever tells it."""
