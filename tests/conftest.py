"""One torch thread in every test and in every process a test starts.

Networks this small gain nothing from more, and on two cores two threads that wait for each other are
many times slower.
"""

import os

from core.runtime import prepare_environment, prepare_torch

os.environ["AUGURY_THREADS"] = "1"
prepare_environment()
prepare_torch()
