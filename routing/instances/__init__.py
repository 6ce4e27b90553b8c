"""Problems that others have published, and made-up weeks of field reps: what solvers are measured on."""
