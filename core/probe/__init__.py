"""What looks at a network, or at what it costs."""
