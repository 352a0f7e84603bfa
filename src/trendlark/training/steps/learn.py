"""Step 3: train one model for each seed, going on from the last checkpoint of a pod that was killed."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomli_w

from trendlark.errors import InputError, NotFoundError
from trendlark.nlu.artifact import MANIFEST_FILE, load_artifact
from trendlark.training import train
from trendlark.training.data import file_digest
from trendlark.training.recipe import Recipe, load_recipe, parse_recipe
from trendlark.training.steps.claim import Claim, write_whole

_log = logging.getLogger(__name__)

RECIPE_FILE, CHECKPOINT_FILE, DONE_FILE = "recipe.toml", "last.pt", "done.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a training run depends on; its name tells it from every other one.

    ``base`` is one of the recipe's bases, or what to go on from: a checkpoint (.pt), ``default`` for the shipped model,
    or the folder of another; empty takes the recipe's, as 0 does for ``steps`` and ``epochs``, of which one may be
    given; ``minutes`` bound the training on all tasks, 0 leaves it to them.
    """

    digest: str
    recipe: str
    base: str = ""
    seed: int = 0
    steps: int = 0
    minutes: float = 0.0
    epochs: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @property
    def start(self) -> Path | None:
        """The checkpoint or artefact to go on from."""
        base = Path(self.base)
        known = self.base == "default" or base.suffix == ".pt" or (base / MANIFEST_FILE).is_file()
        return base if known and self.base else None

    def settled(self) -> Recipe:
        """The recipe with what the plan changes in it; raises InputError."""
        changes: dict[str, Any] = {"seed": int(self.seed)}
        changes |= {"steps": int(self.steps), "epochs": 0.0} if self.steps else {}
        changes |= {"epochs": float(self.epochs)} if self.epochs else {}
        changes |= {"base": self.base} if self.base and self.start is None else {}
        return _changed(load_recipe(self.recipe), changes, self.recipe)


def plan(
    digest: str,
    recipe: str,
    base: str,
    seeds: Sequence[int],
    steps: int = 0,
    minutes: float = 0.0,
    epochs: float = 0.0,
) -> list[Plan]:
    """Return the runs to do, one for each seed; raises InputError where they cannot be, before any is begun."""
    if steps and epochs:
        raise InputError(
            f"Found {steps} steps and {epochs:g} epochs; allowed is one of them. Leave the other at 0."
        )
    plans = [Plan(digest, recipe, base, int(seed), steps, minutes, epochs) for seed in dict.fromkeys(seeds)]
    if not plans:
        raise InputError("Found no seed; allowed is one or more whole numbers, such as [0]. Give one.")
    for one in plans:
        one.settled()
    return plans


def learn(claim: Claim, wanted: Plan) -> str:
    """Train as planned and return the run's name.

    The run's folder is named by all that it depends on: the same call after a killed pod goes on in it from the
    last checkpoint, and a run that is finished is not done again.
    """
    data, chosen = claim.data(wanted.digest), wanted.settled()
    out = claim.new_run(_name(chosen, wanted))
    if (out / DONE_FILE).exists():
        _log.info("run: %s is finished, nothing to train", out.name)
        return out.name
    (out / RECIPE_FILE).write_text(tomli_w.dumps(chosen.to_dict()), encoding="utf-8")
    checkpoint = train.run(data, out, str(out / RECIPE_FILE), wanted.minutes or None, wanted.start)
    write_whole(out / DONE_FILE, {"data": wanted.digest, "checkpoint": file_digest(checkpoint)})
    return out.name


def data_of(claim: Claim, run: str) -> str:
    """Return the digest of the data that a finished run learnt from; raises NotFoundError."""
    path = claim.run(run) / DONE_FILE
    if not path.exists():
        raise NotFoundError(f"Found no {path}: the run {run} is not finished. Train it to its end first.")
    digest: str = json.loads(path.read_bytes())["data"]
    return digest


def _changed(recipe: Recipe, changes: dict[str, Any], source: str) -> Recipe:
    wrong = [f"{name} is {value!r}" for name, value in changes.items() if name != "base" and value < 0]
    if wrong:
        raise InputError(f"Found that {' and '.join(wrong)}. Allowed are 0 and more. Correct the parameters.")
    return parse_recipe(recipe.to_dict() | changes, f"recipe {source} with {', '.join(changes)} as asked")


def _begun(start: Path | None) -> str:
    # A model's folder, and what the package ships as default, may hold another model tomorrow: its name has its digest.
    if start is None or start.suffix == ".pt":
        return str(start or "")
    return load_artifact(start).name


def _name(recipe: Recipe, wanted: Plan) -> str:
    parts = {
        "recipe": recipe.to_dict(),
        "data": wanted.digest,
        "start": _begun(wanted.start),
        "minutes": float(wanted.minutes),
    }
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{recipe.name}-seed{recipe.seed}-{key}"
