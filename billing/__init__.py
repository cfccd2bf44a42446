"""Meters, price books, periods, invoices and the collection of money."""
