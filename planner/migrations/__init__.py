"""The steps by which a database reaches the shape that `planner.storage` writes; run by `open_store`."""
