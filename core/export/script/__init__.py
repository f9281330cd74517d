"""A run as one Python file that needs torch and Kornia only, and gives the very same figures.

Networks, regularisers, augmentation and random draws are Augury's own text (`core.augment.export.embedding`);
the loop is written for a reader, in `loop`, and the tests hold it to the engine's numbers bit for bit.
"""
