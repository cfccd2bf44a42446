"""Who may say what about which object, and what others said."""
