"""Till files: POSLog XML and T-log CSV, read record by record."""
