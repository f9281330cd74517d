"""Taking a pipeline home: as a Python script, as JSON and as YAML; and reading the last two."""

from core.augment.export.python import as_python
from core.augment.export.text import as_json, as_yaml, read

__all__ = ["as_json", "as_python", "as_yaml", "read"]
