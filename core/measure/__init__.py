"""What is measured of weights and predictions; nothing here changes a network."""
