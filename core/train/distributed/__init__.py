"""One run trained by several processes: the same batches and draws, a part of each batch in each process."""
