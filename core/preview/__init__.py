"""Images through the very pipeline that training uses, for looking at."""
