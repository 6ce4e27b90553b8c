"""Which customers are looked after: their states, the hours that takes and the hours there are."""
