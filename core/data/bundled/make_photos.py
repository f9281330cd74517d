"""Make ``photos/*.jpg`` from the files that the `scikit-image` package ships, as large as they come.

pip install scikit-image && python core/data/bundled/make_photos.py
"""

from importlib import import_module
from pathlib import Path

from PIL import Image

SHORT_SIDE = 512  # pixels, at most; a preview shows no more

for name in ("astronaut", "chelsea", "coffee", "rocket"):
    photo = Image.fromarray(getattr(import_module("skimage.data"), name)())
    scale = min(1, SHORT_SIDE / min(photo.size))
    photo = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
    photo.save(Path(__file__).parent / "photos" / f"{name}.jpg", quality=88, optimize=True)
