"""The machine API: what a retailer's and a partner's own systems can read and decide."""
