"""The command line: for operators and developers; every command can answer as JSON."""
