"""What channels show is brought to what they may show: the riskiest first, the value read when sent."""
