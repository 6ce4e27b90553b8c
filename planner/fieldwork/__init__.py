"""What field reps do with their days: check-ins, visit reports, and what they say about the rest of a day."""
