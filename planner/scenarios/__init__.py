"""What a change of reps, hours, cadences and whose customers are whose would do; it touches nothing until applied."""
