"""The questions that a study can ask: which runs each needs, and how it is answered."""
