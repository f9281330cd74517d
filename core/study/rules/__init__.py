"""How a study decides: pure functions from figures to an answer with its interval. They train nothing."""
