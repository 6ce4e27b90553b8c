"""Where a rep may spend the night: the hotels of an area, and the nights that plans have there."""
