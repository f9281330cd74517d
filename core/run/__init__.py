"""What a run is, without torch: its spec, its events and what they add up to."""
