"""Stock as a ledger of movements and counts; what may be promised; what to publish first."""
