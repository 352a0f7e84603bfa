"""Lines of the log, as text for people or as JSON for programs that gather them; both on standard error."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

from trendlark.settings import Settings

TEXT_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_FIELDS = ("request_id", "method", "route", "status", "seconds", "bytes", "token")


class JsonLines(logging.Formatter):
    """One JSON object a line. Of an error that nobody foresaw the place is told, but not what it says:

    such a message may quote a tweet or a secret.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: record.__dict__[name] for name in _FIELDS if name in record.__dict__}
        if record.exc_info and record.exc_info[0] is not None:
            frames = traceback.extract_tb(record.exc_info[2])
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line, ensure_ascii=True)


def set_up_logs(settings: Settings | None = None) -> None:
    """Log to standard error as the settings say; warnings as text until they are read."""
    logging.basicConfig(level=logging.WARNING, format=TEXT_FORMAT, stream=sys.stderr)
    if settings is None:
        return
    logging.getLogger("trendlark").setLevel(settings.log_level.upper())
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr:
            text = logging.Formatter(TEXT_FORMAT)
            handler.setFormatter(JsonLines() if settings.log_format == "json" else text)
