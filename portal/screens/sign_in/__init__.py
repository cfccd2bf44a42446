"""Signing in: by password and code, by invitation, by a link made on the command line."""
