"""Visits that are promised to customers: slots are offered, held for a while, and confirmed."""
