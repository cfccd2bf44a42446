"""From tickets to journals: gaps, store days, what is to be booked and what is still to be booked."""
