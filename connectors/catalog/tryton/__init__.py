"""Tryton, the ERP: web orders and till sales become its documents, its stock is read by polling."""
