"""The HTTP API under /api/v1: everything that the pages can do, a program can."""
