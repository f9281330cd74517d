"""The answers of studies in plain sentences: a module a question, each with `sentences` of a result."""
