"""Events and catalogues in, Plotly figures out: plain dictionaries, ready to be JSON."""
