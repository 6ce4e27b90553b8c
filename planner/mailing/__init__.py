"""The mail of the evening before: each rep's next working day, once."""
