"""The command line. Each command imports its room when it runs, so ``--help`` is instant and needs no extra."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from trendlark import __version__
from trendlark.cli import hour, judge, look, pipeline, services, text, train
from trendlark.cli.logs import set_up_logs
from trendlark.cli.tables import printable
from trendlark.errors import TrendlarkError

_EPILOG = "Settings come from flags, TRENDLARK_* variables and trendlark.toml: see `trendlark config`."

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

app = typer.Typer(
    name="trendlark",
    help="Every hour: what is trending on Twitter/X, and how people feel about it.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        print(f"trendlark {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Every hour: what is trending on Twitter/X, and how people feel about it."""


for module in (hour, text, look, services, train, judge, pipeline):
    module.register(app)


def _lines(text: str) -> str:
    # A sentence may quote a source or a file; nothing of it may steer the terminal, but a list keeps its lines.
    return "\n".join(printable(line) for line in text.split("\n"))


def main() -> None:
    """Run the command line; an error that was foreseen is one sentence and an exit code, not a traceback."""
    set_up_logs()
    for stream in (sys.stdout, sys.stderr):
        # Tweets hold characters that a terminal's encoding may lack; a lost glyph beats a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here, where what it raises can still be told
    except TrendlarkError as error:
        print(f"trendlark: {_lines(str(error))}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # `trendlark query ... | head` is no error; stdout is closed so that Python does not complain at exit.
        sys.stderr.close()
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        # What could not be written stays in the buffer; without this Python tries, and fails, once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        print(
            f"trendlark: Found no room for what is to be written ({error.strerror}); what was finished is kept. "
            "Free some, or write to a place with more room, and run it again.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print(
            "trendlark: stopped; what was finished is kept, and the next start goes on from there.",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
