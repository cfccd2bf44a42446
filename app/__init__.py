"""The engine and the retail core: what happens to every message, event and delivery."""
