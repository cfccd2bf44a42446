"""The floor: settings, database, unit of work, broker, egress, keys, web guards, telemetry."""
