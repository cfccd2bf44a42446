"""The reconnect link as a page: who owns a system gives its new credential, without an account."""
