"""What each transform does once, before anything is trained: networks in, a network out."""
