"""Planning region by region with OR-Tools: every rep's week on its own first, then small regions of rep-days."""
