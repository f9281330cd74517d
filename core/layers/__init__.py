"""Which weights of a network are regularised and counted, and which of them belong together."""
