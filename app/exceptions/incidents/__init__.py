"""Three incidents, not 8,412 errors: find, measure, tell, assign, comment, snooze, resolve."""
