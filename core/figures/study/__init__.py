"""The pictures of studies: a module a question, each with `chart`."""
