"""What `fieldvisit serve` starts: waitress on this machine, gunicorn in production, and the dispatcher beside them."""
