"""One module a kind of file: its ``write(asked, folder)`` writes it, as `core.export.catalogue` says."""
