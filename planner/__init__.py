"""Who is visited, when and why. Knows nothing of HTTP, maps or solvers."""
