"""`python -m mksim`."""

import gc
import sys

gc.disable()  # a sixth of the start-up: importing Numba leaves nothing to collect. `session` enables it again

from mksim.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
