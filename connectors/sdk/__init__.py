"""What a connector is given: messages, outcomes, transport, signatures, file records."""
