"""The command line of a service that is gone, as after a power cut, at a chosen step of its work.

python -m tests.support.killed_service STEP analyzer --lake LAKE ...
"""

from __future__ import annotations

import sys

from tests.support.killed import Fuse, install
from trendlark.cli import main

if __name__ == "__main__":
    install(Fuse(int(sys.argv.pop(1))))
    main()
