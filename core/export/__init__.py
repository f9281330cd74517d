"""Taking a run away: as a script, a notebook, a network for others, tables, a report, or an archive."""
