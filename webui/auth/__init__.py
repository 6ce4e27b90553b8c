"""Logging in and out, and what a browser that is logged in may send."""
