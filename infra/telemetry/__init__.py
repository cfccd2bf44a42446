"""What the process tells about itself: wide events, metrics, faults and trace context."""
