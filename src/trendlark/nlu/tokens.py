"""The tokenizer of an artefact: normalised text in, token ids with their offsets out; its faults are ModelErrors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tokenizers import Encoding, Tokenizer

from trendlark.errors import ModelError
from trendlark.nlu.artifact import Artifact

# A known word, unknown scripts and signs, and nothing: what a tokenizer that is not whole stumbles over.
_PROBES = ("a", "\u4e00 \U0001f600 \u0e01", "")


class TokenReader:
    """The loaded tokenizer, cutting texts to what the model takes; safe to share between threads."""

    def __init__(self, artifact: Artifact) -> None:
        self._path = artifact.tokenizer_file
        with self._own_errors():
            self._tokenizer = Tokenizer.from_str(self._path.read_text(encoding="utf-8"))
            self._tokenizer.no_padding()
            self._tokenizer.enable_truncation(artifact.manifest.max_tokens)
        if not all(self.encode(text).ids for text in _PROBES):
            raise ModelError(
                f"Found a tokenizer in {self._path} that gives no token for an empty text; a model answers every text, "
                "so its tokenizer adds a first or last token. Export the model again."
            )

    @property
    def largest_id(self) -> int:
        """The largest token id that it may give."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)

    def encode(self, text: str) -> Encoding:
        """Return the tokens of a normalised text."""
        with self._own_errors():
            return self._tokenizer.encode(text)

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            # The tokenizers library raises bare Exception and, where its Rust code panics, a class that cannot be
            # imported and is no Exception. Nothing else is meant here.
            faulty = type(error) is Exception or type(error).__module__ == "pyo3_runtime"
            if faulty or isinstance(error, OSError | UnicodeDecodeError):
                raise ModelError(
                    f"Found a tokenizer that does not work in {self._path}: {error}. A model holds one that the "
                    "installed tokenizers library reads. Export the model again, or upgrade tokenizers."
                ) from error
            raise
