"""Runs and their events on disk: SQLite by default, another database by ``AUGURY_DATABASE_URL``."""
