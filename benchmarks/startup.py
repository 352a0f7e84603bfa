"""CPU time of `trendlark --help` beside that of Python doing nothing.

    python benchmarks/startup.py

Prints the least of several runs of each (the least is what the work itself costs; the rest is what else the machine
did) and ends with 1 where `--help` takes more than its budget of 0.4 s.
"""

from __future__ import annotations

import resource
import subprocess
import sys

RUNS = 9
BUDGET_SECONDS = 0.4


def cpu_seconds(*words: str) -> float:
    """The least CPU time, user and system, of a command over some runs."""
    times = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def main() -> int:
    """Run and print."""
    nothing = cpu_seconds("-c", "pass")
    told = cpu_seconds(
        "-c", "import sys; sys.argv = ['trendlark', '--help']; from trendlark.cli import main; main()"
    )
    print(f"python -c pass    {nothing:.3f} s of CPU")
    print(
        f"trendlark --help  {told:.3f} s of CPU, {told / nothing:.1f} times as much (at most {BUDGET_SECONDS} s)"
    )
    return 0 if told <= BUDGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
