"""Parts of an exported script. Each file is copied as it stands, without its imports.

The names that a script gives its values are stand-ins here, for the type checker only.
"""
