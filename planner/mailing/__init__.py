"""Mail: each rep's next working day on the evening before, and the weekly summary for those who want it; once."""
