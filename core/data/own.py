"""What holds of a person's own images before they are read."""

DEFAULT_SIDE = 32  # pixels
DEFAULT_CHANNELS = 3
LOADS = "core.data.folder:folder"  # what reads them
