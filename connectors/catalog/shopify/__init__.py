"""Shopify: orders, refunds and fulfilments by webhook; stock by the GraphQL Admin API."""
