"""Who looks at a page: session, permission, reach; and what every answer of the portal carries."""
