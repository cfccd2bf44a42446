"""Pages: templates rendered with what they show, and how money and moments are written."""
