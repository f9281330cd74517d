"""Runs and their events on disk: SQLite by default, another database by ``AUGURY_DATABASE_URL``."""

from core.store.store import Store, StoredRun, is_run_id, run_folder

__all__ = ["Store", "StoredRun", "is_run_id", "run_folder"]
