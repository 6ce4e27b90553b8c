"""Work that takes longer than a page: rows are the truth, Dask executes."""
