"""Makes `python -m conformance` run the suite."""

import sys

from conformance.cli import main

sys.exit(main())
