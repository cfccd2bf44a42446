"""Who: partners, retailers, people, brand and audit."""
