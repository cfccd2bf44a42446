"""Real PostgreSQL and Redis on this machine without root, containers or system packages."""
