"""Who is told when something goes wrong: plan, gather, send; channels: add change test remove."""
