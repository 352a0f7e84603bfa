"""What the image and the services in containers take: size by package, memory at rest and at most.

    python -m benchmarks.containers        (root; podman and mmdebstrap; two minutes)

The services run as compose starts them, with 1 GiB and one CPU each, on the hours of the sample, and then rest.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support.containers import (
    BASE,
    IMAGE,
    Engine,
    answer,
    container,
    find_engine,
    free_port,
    make_image,
    until,
    volume,
)

from trendlark.lake import open_lake
from trendlark.reports.backlog import waiting_hours

HOURS = 6
LAKE = "trendlark-measured"
COMMANDS = {
    "collector": ("collector", "--heartbeat", "/tmp/heartbeat"),
    "analyzer": ("analyzer", "--heartbeat", "/tmp/heartbeat", "--poll-seconds", "1"),
    "web": ("serve",),
}
_SIZES = (
    "import pathlib, site\n"
    "for p in pathlib.Path(site.getsitepackages()[0]).iterdir():\n"
    "    files = [p] if p.is_file() else [f for f in p.rglob('*') if f.is_file() and not f.is_symlink()]\n"
    "    print(sum(f.stat().st_size for f in files), p.name)\n"
)


def sizes(engine: Engine) -> None:
    """Print what takes the room in the image."""
    whole, base = (engine.inspect(name)["Size"] / 1e6 for name in (IMAGE, BASE))
    asked = engine.ask("run", "--rm", "--network", "none", "--entrypoint", "python", IMAGE, "-c", _SIZES)
    parts = sorted(((int(line.split()[0]), line.split()[1]) for line in asked.splitlines()), reverse=True)
    print(f"image {whole:.0f} MB unpacked, of which the base {base:.0f}")
    for size, name in parts[:8]:
        print(f"  {name:<16} {size / 1e6:4.0f} MB")


def memory(engine: Engine, shell: Path) -> None:
    """Print the resident memory of each service once all hours are done, and its highest until then."""
    with ExitStack() as stack:
        port = stack.enter_context(free_port())
        settings = {
            "TRENDLARK_SAMPLE_HOURS": str(HOURS),
            "TRENDLARK_PORT": str(port),
            "TRENDLARK_THREADS": "1",
        }
        folder = stack.enter_context(volume(engine, LAKE)) / "lake"
        running = {
            name: stack.enter_context(
                container(engine, f"{LAKE}-{name}", words, lake=LAKE, shell=shell, settings=settings)
            )
            for name, words in COMMANDS.items()
        }

        def _done() -> bool:
            lake = open_lake(str(folder))
            hours = lake.hours()
            return len(hours) >= HOURS and not waiting_hours(lake, hours[0])

        until(_done, "all hours to be summed up")
        until(lambda: answer(f"http://127.0.0.1:{port}/ready"), "the web server")
        answer(f"http://127.0.0.1:{port}/v1/trends")
        for name, service in running.items():
            now, most = service.memory_mib()
            print(f"{name:<10} at rest {now:4.0f} MiB, at most {most:4.0f} MiB")


def main() -> None:
    """Build, run and measure."""
    with tempfile.TemporaryDirectory() as folder:
        engine = find_engine(Path(folder))
        make_image(engine)
        shell = Path(folder) / "none"
        shell.touch(mode=0o644)
        sizes(engine)
        memory(engine, shell)


if __name__ == "__main__":
    main()
