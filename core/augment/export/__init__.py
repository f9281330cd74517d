"""Taking a pipeline home: as a Python script, as JSON and as YAML; and reading the last two."""
