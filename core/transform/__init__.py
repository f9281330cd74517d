"""What makes a network of a network."""
