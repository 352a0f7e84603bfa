"""Step 3: train one model for each seed, going on from the last checkpoint of a pod that was killed."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from trendlark.errors import InputError, NotFoundError
from trendlark.nlu.artifact import MANIFEST_FILE
from trendlark.training import train
from trendlark.training.data import file_digest
from trendlark.training.recipe import Recipe, load_recipe, parse_recipe
from trendlark.training.steps.claim import Claim, alone, write_whole
from trendlark.training.steps.shelf import name_of

_log = logging.getLogger(__name__)

RECIPE_FILE, CHECKPOINT_FILE, DONE_FILE = "recipe.toml", "last.pt", "done.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a training run depends on; its name tells it from every other one.

    ``base`` is one of the recipe's bases, or what to go on from: a checkpoint (.pt), ``default`` for the shipped model,
    or the folder of another; empty takes the recipe's, as 0 does for ``steps`` and ``epochs``, of which one may be
    given; ``minutes`` bound the training on all tasks, 0 leaves it to them. ``run`` is the name, by which whoever keeps
    the answers of steps tells what ``recipe`` and ``base`` held when the run was planned.
    """

    digest: str
    recipe: str
    base: str = ""
    seed: int = 0
    steps: int = 0
    minutes: float = 0.0
    epochs: float = 0.0
    run: str = ""

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
        source = f"recipe {self.recipe} with {', '.join(changes)} as asked"
        return parse_recipe(load_recipe(self.recipe).to_dict() | changes, source)


def plan(
    digest: str,
    recipe: str,
    base: str,
    seeds: Sequence[int],
    steps: int = 0,
    minutes: float = 0.0,
    epochs: float = 0.0,
) -> list[Plan]:
    """Return the runs to do, one for each seed.

    Raises InputError, ModelError or NotFoundError where they cannot be, before any is begun.
    """
    _check(seeds, {"steps": steps, "minutes": minutes, "epochs": epochs})
    if steps and epochs:
        raise InputError(
            f"Found {steps} steps and {epochs:g} epochs; allowed is one of them. Leave the other at 0."
        )
    plans = [Plan(digest, recipe, base, int(seed), steps, minutes, epochs) for seed in dict.fromkeys(seeds)]
    return [replace(one, run=_name(one.settled(), one)) for one in plans]


def _check(seeds: Sequence[Any], amounts: Mapping[str, float]) -> None:
    if not seeds:
        raise InputError("Found no seed; allowed is one or more whole numbers, such as [0]. Give one.")
    wrong = [f"{name} is {value!r}" for name, value in amounts.items() if not 0 <= value < math.inf]
    wrong += [f"a seed is {seed!r}" for seed in seeds if not _is_seed(seed)]
    if wrong:
        raise InputError(
            f"Found that {' and '.join(wrong)}. Allowed are 0 and more, of seeds whole numbers. Correct the parameters."
        )


def _is_seed(seed: Any) -> bool:
    # kfp hands whole numbers in lists over as floats; to Python true is the number 1.
    return (
        isinstance(seed, int | float)
        and not isinstance(seed, bool)
        and seed >= 0
        and float(seed).is_integer()
    )


def learn(claim: Claim, wanted: Plan) -> str:
    """Train as planned and return the run's name.

    The run's folder is named by all that it depends on: the same call after a killed pod goes on in it from the
    last checkpoint, and a run that is finished is not done again. Raises InputError where recipe or start are not
    what they were when it was planned.
    """
    data, chosen = claim.data(wanted.digest), wanted.settled()
    name = _name(chosen, wanted)
    if wanted.run not in ("", name):
        raise InputError(
            f"Found that {wanted.recipe} or {wanted.base or chosen.base} changed after the run {wanted.run} was "
            "planned; a run is trained by what it was planned with. Run the pipeline again."
        )
    out = claim.new_run(name)
    # Two pipelines may ask for one run at once; two trainings in one folder would write over each other's checkpoint.
    with alone(out / ".lock"):
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


def _encoder(base: str) -> dict[str, str]:
    """The digests of the files of an encoder's folder; those of the package change with its version alone."""
    return {path.name: file_digest(path) for path in sorted(Path(base).iterdir()) if path.is_file()}


def _name(recipe: Recipe, wanted: Plan) -> str:
    parts = {
        "recipe": recipe.to_dict(),
        "data": wanted.digest,
        # Where it lies another model may lie tomorrow, and what the package ships as default changes, too.
        "start": name_of(str(wanted.start)) if wanted.start else "",
        "minutes": float(wanted.minutes),
    }
    if recipe.base != "e5":
        parts["encoder"] = _encoder(recipe.base)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]
    return f"{recipe.name}-seed{recipe.seed}-{key}"
