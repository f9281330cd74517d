from pathlib import Path

MEASURED = Path(__file__).parents[2] / "assets" / "lessons.json"
