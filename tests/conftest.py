"""One torch thread in every test and in every process a test starts.

Networks this small gain nothing from more, and on two cores two threads that wait for each other are
many times slower. And a home of their own, where decoded datasets are kept from one test to the next.
"""

import atexit
import os
import shutil
import tempfile

from core.runtime import prepare_environment, prepare_torch

os.environ["AUGURY_THREADS"] = "1"
if "AUGURY_HOME" not in os.environ:  # else the datasets that a test decodes would be kept with a person's own
    os.environ["AUGURY_HOME"] = tempfile.mkdtemp(prefix="augury-tests-")
    atexit.register(shutil.rmtree, os.environ["AUGURY_HOME"], ignore_errors=True)
prepare_environment()
prepare_torch()
