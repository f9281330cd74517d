"""The training loop, from a spec to a stream of events."""
