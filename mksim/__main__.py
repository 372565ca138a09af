"""`python -m mksim`."""

import sys

from mksim.cli import main

if __name__ == "__main__":
    sys.exit(main())
