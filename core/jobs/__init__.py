"""Who computes what, and where: the queue, its threads and their worker processes."""
