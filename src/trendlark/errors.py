"""Every way in which Trendlark refuses or fails, as one tree.

    TrendlarkError
    ├── SettingsError             a setting is unknown, bad or contradicts another
    ├── InputError                an argument, text, file or column cannot be used as given
    │   └── QueryError            SQL that the lake cannot answer
    ├── NotFoundError             no such hour, trend, place, tweet or model
    ├── MissingExtraError         the command needs an optional part that is not installed
    ├── SourceError               a source of tweets did not give what was asked
    │   ├── CredentialsError      the source does not accept the token (401, 403)
    │   ├── CreditsError          the account has no credits left (402), or its usage cap is reached (429)
    │   ├── RateLimitError        too many requests (429)
    │   ├── UnavailableError      the source is down, slow or hung up (5xx, time-outs)
    │   ├── BadAnswerError        the source answered with something that is not its own format
    │   └── BudgetError           asking further would cost more than the budget allows
    ├── LakeError                 the lake cannot be read or written
    │   ├── LakeFullError         no space is left
    │   ├── LakeReadOnlyError     the lake may be read but not written
    │   └── LakeConflictError     other writers kept winning the race for the same hour
    ├── ModelError                the model cannot be loaded or failed while it ran
    └── OverloadError             more requests are waiting than the server accepts

Each class has the exit code of the command line and the HTTP status of the API. Each message says what was
found, what is allowed and what to do.
"""

from __future__ import annotations


class TrendlarkError(Exception):
    """The root: everything that Trendlark raises on purpose."""

    exit_code = 1
    http_status = 500


class SettingsError(TrendlarkError):
    """A setting is unknown, bad or contradicts another; all that are wrong are named at once."""

    exit_code = 2


class InputError(TrendlarkError):
    """An argument, text, file or column cannot be used as given."""

    exit_code = 2
    http_status = 400


class QueryError(InputError):
    """SQL that the lake cannot answer."""


class NotFoundError(TrendlarkError):
    """No such hour, trend, place, tweet or model."""

    exit_code = 3
    http_status = 404


class MissingExtraError(TrendlarkError):
    """The command needs an optional part that is not installed."""

    exit_code = 2
    http_status = 501


class SourceError(TrendlarkError):
    """A source of tweets did not give what was asked."""

    exit_code = 4
    http_status = 502


class CredentialsError(SourceError):
    """The source does not accept the token (HTTP 401 or 403)."""


class CreditsError(SourceError):
    """The account has no credits left (HTTP 402), or its usage cap is reached (429); never retried."""


class RateLimitError(SourceError):
    """Too many requests (HTTP 429), and waiting longer than allowed would not help."""


class UnavailableError(SourceError):
    """The source is down, slow or hung up (HTTP 5xx, time-outs), also after the retries."""


class BadAnswerError(SourceError):
    """The source answered with something that is not its own format (cut-off or invalid JSON)."""


class BudgetError(SourceError):
    """Asking further would cost more than the budget allows."""


class LakeError(TrendlarkError):
    """The lake cannot be read or written."""

    exit_code = 5
    http_status = 503


class LakeFullError(LakeError):
    """No space is left where the lake lies."""


class LakeReadOnlyError(LakeError):
    """The lake may be read but not written."""


class LakeConflictError(LakeError):
    """Other writers kept winning the race for the same hour."""


class ModelError(TrendlarkError):
    """The model cannot be loaded or failed while it ran."""

    exit_code = 6
    http_status = 503


class OverloadError(TrendlarkError):
    """More requests are waiting than the server accepts; ``retry_after_seconds`` says when to come back."""

    exit_code = 7
    http_status = 429

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
