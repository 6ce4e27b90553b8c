"""The pages, one module a family: each turns an address into a template's values and decides nothing."""
