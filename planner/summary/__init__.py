"""The weekly summary: what a week covered, what slipped and why, and what three things would cost that would help."""
