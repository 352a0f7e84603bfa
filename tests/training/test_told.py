"""Every choice that a run makes by itself is told with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.bases import write_base
from tests.training.cut import CutOffError, cut_off_after
from tests.training.told import unexplained
from trendlark.training import pieces, precision, train
from trendlark.training.e5 import read_e5

RECIPE = """
name = "tiny"
tokens_per_batch = 96
power = 0.5
checkpoint_minutes = 0
validate_minutes = 0
validate_rows = 2
patience = 9
"""


def _recipe(folder: Path, more: str) -> str:
    path = folder / "tiny.toml"
    path.write_text(RECIPE + more, encoding="utf-8")
    return str(path)


def _messages(caplog: pytest.LogCaptureFixture, kind: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.getMessage().startswith(f"{kind}: ")]


def _unexplained(caplog: pytest.LogCaptureFixture) -> list[str]:
    return unexplained((record.name, record.getMessage()) for record in caplog.records)


def test_every_choice_of_a_run_is_told_with_its_reason(
    data: Path, start: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    precision.choose.cache_clear()
    recipe = _recipe(tmp_path, "steps = 4\nlayers = 1\n[boosts]\ntweeteval_irony = 2\n")
    with pytest.raises(CutOffError):
        train.run(data, tmp_path / "out", recipe, start=start, progress=cut_off_after(0.4))
    train.run(data, tmp_path / "out", recipe, start=start)
    assert _unexplained(caplog) == []
    for kind in ("device", "precision", "start", "layers", "mixture", "schedule", "resume", "end"):
        assert _messages(caplog, kind), kind
    # Reasons that say how, in figures that are so.
    sizes = {
        line.split()[1]: int(line.split("share of ")[1].split()[0]) for line in _messages(caplog, "mixture")
    }
    parts = {name: size**0.5 * (2 if name == "tweeteval_irony" else 1) for name, size in sizes.items()}
    share = 100 * parts["tweeteval_irony"] / sum(parts.values())
    assert _messages(caplog, "mixture")[0] == (
        f"mixture: tweeteval_irony {share:.1f} % of the examples drawn, "
        "because that is the share of 8 to the power 0.5 times 2"
    )
    assert set(_messages(caplog, "schedule")) == {"schedule: 4 steps, because the recipe has so many"}
    (resumed,) = _messages(caplog, "resume")
    assert resumed.startswith("resume: at step 1, ")
    assert resumed.endswith(f"because {tmp_path / 'out' / 'last.pt'} is there")


def test_epochs_and_minutes_are_told_as_what_ends_a_run(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    base = write_base(tmp_path / "base")
    recipe = _recipe(tmp_path, f'epochs = 0.01\nbase = "{base}"\n')
    train.run(data, tmp_path / "out", recipe, minutes=600)
    assert _unexplained(caplog) == []
    assert _messages(caplog, "base") == [f"base: the folder {base}, because the recipe says so"]
    (line,) = _messages(caplog, "schedule")
    assert line.endswith(
        "steps, because they are the recipe's 0.01 epochs, "
        "or 600 minutes where these are over first, because they were asked for"
    )


def test_what_is_kept_of_a_vocabulary_is_told_with_its_reason(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    base = read_e5()
    kept = pieces.keep_pieces(base, data, 500)
    assert _unexplained(caplog) == []
    line = _messages(caplog, "vocabulary")[-1]
    single = int(line.split("asked for: ")[1].split()[0])
    assert line.startswith(
        f"vocabulary: kept {len(kept)} of {len(base.pieces)} pieces, because 500 were asked for: {single} single signs "
        f"and the {len(kept) - single} of most use, of "
    )
    assert single == sum(len(base.pieces[row].lstrip("▁")) <= 1 for row in kept)


def test_a_choice_without_a_reason_is_found() -> None:
    told = [
        ("trendlark.training.train", "schedule: 4 steps"),
        ("trendlark.training.train", "schedule: 4 steps, because the recipe has so many"),
        ("trendlark.training.train", "step 100, 3 s, 5.0 %: irony 0.6"),
        ("trendlark.training.keeper", "checkpoint: step 100 in out/last.pt"),
        ("trendlark.training.keeper", "stop: at step 100"),
        ("trendlark.training.examples", "tweeteval_irony (en, irony): 8 examples"),
    ]
    assert unexplained(told) == ["schedule: 4 steps", "stop: at step 100"]
