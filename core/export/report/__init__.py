"""A run, or several beside each other, as one page to hand in: HTML that needs no network and no script."""
