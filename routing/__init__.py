"""Places, streets, minutes, and the vehicle-routing solver. Knows nothing of customers."""
