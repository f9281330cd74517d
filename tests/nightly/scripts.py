"""Every network × regularisers × augmentation × optimiser: the exported script's figures are the run's, bit
for bit.

    python -m tests.nightly.scripts
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from tests.export.scripts import Processes, all_combinations, compared, spec_of


def main() -> int:
    processes, wrong, count = Processes(), [], 0
    for combination in all_combinations():
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            ran, told = compared(spec_of(combination), Path(folder), processes=processes)
        count += 1
        if not ran or ran != told:
            wrong.append(" · ".join(combination))
            print("differs:", wrong[-1], flush=True)
    processes.close()
    print(f"{count:,} scripts, of which {len(wrong)} print other figures than their runs.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
