"""The command line. Each command imports its room when it runs, so ``--help`` is instant and needs no extra."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trendlark import __version__
from trendlark.cli import hour, judge, look, pipeline, services, text, train
from trendlark.cli.logs import set_up_logs
from trendlark.cli.tables import printable
from trendlark.errors import TrendlarkError

_EPILOG = "Settings come from flags, TRENDLARK_* variables and trendlark.toml: see `trendlark config`."

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class _Ended(Exception):  # noqa: N818 - it is no error
    """Ctrl-C, or a reader of the output that has enough."""

    def __init__(self, by: KeyboardInterrupt | BrokenPipeError) -> None:
        super().__init__()
        self.by = by


class _Commands(TyperGroup):
    """The commands; how one ends is told by ``main``, where typer would leave at once, with no word or another code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as end:
            raise _Ended(end) from None


app = typer.Typer(
    name="trendlark",
    cls=_Commands,
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


def _drop_output() -> None:
    # What could not be written stays in the buffer; without this Python tries, and fails, once more at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who starts us, as by >&-
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8"))
        # Tweets hold characters that a terminal's encoding may lack; a lost glyph beats a crash.
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def main() -> None:
    """Run the command line; an error that was foreseen is one sentence and an exit code, not a traceback."""
    _open_streams()
    set_up_logs()
    try:
        try:
            app()
        except _Ended as ended:
            raise ended.by from None
        finally:
            sys.stdout.flush()  # here, where what it raises can still be told
    except TrendlarkError as error:
        print(f"trendlark: {_lines(str(error))}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except BrokenPipeError:
        # `trendlark query ... | head` is no error.
        _drop_output()
        raise SystemExit(0) from None
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _drop_output()
        print(
            f"trendlark: Found no room for what is to be written ({error.strerror}); what was finished is kept. "
            "Free some, or write to a place with more room, and run it again.",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("trendlark: stopped before it was done; run it again to go on.", file=sys.stderr)
        raise SystemExit(130) from None
