"""The catalogue of operations, a file for each family; no file here needs torch."""
