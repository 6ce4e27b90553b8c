"""Territories: shapes on the map that belong to a rep, and what lies in them."""
