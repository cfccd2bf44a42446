"""What channels pay out, held against what was sold and what the bank got."""
