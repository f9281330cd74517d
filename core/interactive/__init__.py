"""What a page needs at once, computed in a warm process of its own: previews, a network's summary."""
