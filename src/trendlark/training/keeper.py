"""What a run keeps of itself: its last state, what validation says of it, and when it is time to stop."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trendlark.errors import InputError
from trendlark.training import checkpoint, wide
from trendlark.training.centre import centre
from trendlark.training.checkpoint import Checkpoint
from trendlark.training.optimise import Clock, Optimiser
from trendlark.training.recipe import Recipe
from trendlark.training.scoring import main_metric, mean_score, score_all
from trendlark.training.sets import SETS
from trendlark.training.team import Team

_log = logging.getLogger(__name__)

LAST, BEST = "last.pt", "best.pt"
# How many differences from another run are told.
_TOLD = 3


@dataclass(slots=True)
class _Timer:
    """Says when so many minutes have gone by since it last said so."""

    minutes: float
    _since: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        if time.monotonic() - self._since < 60 * self.minutes:
            return False
        self._since = time.monotonic()
        return True


@dataclass(slots=True)
class _Early:
    """The best mean of tasks and its step, the step last judged, how many validations in a row were no better."""

    best: float = 0.0
    best_step: int = 0
    judged_step: int = 0
    worse: int = 0


@dataclass(slots=True)
class Keeper:
    """Saves and validates when it is time to, in the first process of a team, and says when to stop early.

    Where the recipe has patience the state of the best validation is kept besides, and is what the run ends with.
    ``_over`` is below 0 until the run has ended; then it is up to how many minutes asked for there is nothing to add.
    """

    state: Checkpoint
    data: Path
    out: Path
    recipe: Recipe
    clock: Clock
    optimiser: Optimiser
    crew: Team
    _early: _Early = field(default_factory=_Early)
    _over: float = -1.0
    _saving: _Timer = field(init=False)
    _validating: _Timer = field(init=False)

    def __post_init__(self) -> None:
        self._saving = _Timer(self.recipe.checkpoint_minutes)
        self._validating = _Timer(self.recipe.validate_minutes)

    @property
    def stopped(self) -> bool:
        """Whether validation has got no better for as long as the recipe has patience."""
        return 0 < self.recipe.patience <= self._early.worse

    @property
    def finished(self) -> bool:
        """Whether the run has ended, however many processes did it, and is given no more minutes than it had."""
        return self._over >= 0

    def resume(self) -> int:
        """Take up where the run's checkpoint stands, if there is one; return the number of steps done.

        Clock, early stopping, optimisers and the random numbers of processor and GPU are what they were. Each process
        of a team gets back its own. One that the saved team did not have, and every one but the first where a
        checkpoint was written before teams were kept, begins with the first one's optimisers and is left the random
        numbers that it has.
        """
        more = self.state.more
        if "optimiser" not in more:
            return 0
        others = more.get("others", [])
        own = more if self.crew.first else dict(enumerate(others, 1)).get(self.crew.rank, {})
        self.optimiser.load_state_dict(own.get("optimiser", more["optimiser"]))
        set_random_state(own, self._device)
        self.clock.step, self.clock.seconds = more["step"], more["seconds"]
        self._early = _Early(**more.get("early", {}))
        _log.info(
            "resume: at step %d, %.0f s into the run, because %s is there",
            self.clock.step,
            self.clock.seconds,
            self.out / LAST,
        )
        if not own:
            _log.info(
                "resume: process %d has the first one's optimisers, because the checkpoint is of %d processes",
                self.crew.rank,
                1 + len(others),
            )
        over = more.get("over", -1.0)
        if (self.clock.minutes or 0.0) <= over:
            self._over = over
            _log.info("resume: no step is left, because the run had ended at step %d", self.clock.step)
        # What was taken up lives on in the optimisers.
        self.state.more = {name: more[name] for name in ("history", "start", "soft") if name in more}
        return self.clock.step

    def look(self) -> None:
        """Validate and save where it is due; every process of a team has to call it after the same step."""
        due = self.crew.first and self._saving.due()
        if self.crew.first and self._validating.due():
            self._judge()
            if self.stopped:
                _log.info(
                    "stop: at step %d, because %d validations in a row were no better than %.4f",
                    self.clock.step,
                    self._early.worse,
                    self._early.best,
                )
            # What was counted is kept with the state that it was counted at.
            due = due or self.recipe.patience > 0
        if self.crew.any(due):
            self._save(self.crew.gather(self._own()))

    def end(self) -> None:
        """Add n-grams and centre what soft labels pulled, save it and validate it on all rows.

        With patience that is the best state, not the last. The steps that are saved are those that were done.
        """
        if not self.finished:
            # Only minutes that ended it may be added to: steps are the recipe's, and so is patience.
            ended = self.clock.step >= self.clock.steps or self.stopped
            self._over = math.inf if ended else self.clock.minutes or 0.0
        # The others need not wait for what the first one does alone.
        others = self.crew.gather(self._own())
        if not self.crew.first:
            return
        step = self._go_back() if self.recipe.patience else self.clock.step
        if step != self.clock.step:
            # What the others have belongs to the last state.
            others = []
        if self.recipe.ngrams:
            self.state = wide.attach(self.state, self.data, self.recipe.ngrams)
        centre(self.state, self.data)
        self._save(others)
        self._validate(step, 0)

    @property
    def _device(self) -> torch.device:
        return self.state.network.positions.device

    def _own(self) -> dict[str, Any]:
        """Return what this process has that the first one's checkpoint would not say."""
        # Processes that step together have the same optimisers.
        mine = {"optimiser": _on_processor(self.optimiser.state_dict())} if self.crew.every else {}
        return mine | random_state(self._device)

    def _validate(self, step: int, rows: int) -> float:
        return validate(self.state, self.data, self.out, rows, step, self.clock.seconds)

    def _save(self, others: list[dict[str, Any]], name: str = LAST) -> None:
        if not self.crew.first:
            return
        more = {
            "history": self.state.more.get("history", []),
            "optimiser": self.optimiser.state_dict(),
            "others": others,
            "step": self.clock.step,
            "seconds": self.clock.seconds,
            "early": asdict(self._early),
            "over": self._over,
            "recipe": self.recipe.to_dict(),
            "start": self.state.more.get("start", ""),
            "soft": self.state.more.get("soft", ""),
        }
        replace(self.state, more=more | random_state(self._device)).save(self.out / name)
        _log.info("checkpoint: step %d in %s", self.clock.step, self.out / name)

    def _judge(self) -> None:
        """Validate this step's state, count it for early stopping, and keep it where it is the best."""
        early, step = self._early, self.clock.step
        mean = self._validate(step, self.recipe.validate_rows)
        early.judged_step = step
        if mean > early.best:
            early.best, early.best_step, early.worse = mean, step, 0
            if self.recipe.patience:
                self._save([], BEST)
        else:
            early.worse += 1

    def _go_back(self) -> int:
        """Take up the best state again where it is not the last; return the step of what the run ends with."""
        early, path, step = self._early, self.out / BEST, self.clock.step
        if early.judged_step != step:
            worse = early.worse
            self._judge()
            # A run that its minutes end was not stopped: it may be given more of them.
            early.worse = min(early.worse, worse)
        if early.best_step not in (0, step) and path.exists():
            best = checkpoint.load(path)
            self.state.network.load_state_dict(best.network.state_dict())
            self.optimiser.load_state_dict(best.more["optimiser"])
            step, mean = best.more["step"], best.more["early"]["best"]
            _log.info(
                "end: with the state of step %d, because its mean of tasks, %.4f, is the best", step, mean
            )
            return int(step)
        why = f"its mean of tasks, {early.best:.4f}, is the best"
        if early.best_step != step:
            why = f"{path} is gone" if early.best_step else "no set has a validation file"
        _log.info("end: with the last state, of step %d, because %s", step, why)
        return step


def take_up(path: Path, recipe: Recipe, origin: Mapping[str, str]) -> Checkpoint:
    """Return the checkpoint of this run; raises InputError where it is another's.

    ``origin`` is the run's start and the digest of its soft labels; what an older checkpoint does not tell of these is
    not held against it.
    """
    state = checkpoint.load(path)
    more = state.more
    wrong = recipe.differences(more["recipe"]) if "recipe" in more else []
    for name, nothing in (("start", "the base"), ("soft", "none")):
        was, asked = more.get(name), origin.get(name)
        if None not in (was, asked) and was != asked:
            wrong.append(f"{name} is {was or nothing}, not {asked or nothing}")
    if "optimiser" not in more:
        wrong = ["no optimiser is kept to go on with"]
    if wrong:
        further = f" and {len(wrong) - _TOLD} more" if len(wrong) > _TOLD else ""
        raise InputError(
            f"Found the checkpoint of another run at {path}: {'; '.join(wrong[:_TOLD])}{further}. Allowed is one of "
            f"the same recipe, start and soft labels. Name another --out, and --start {path} to begin from it, or "
            "remove the checkpoint."
        )
    state.more = {**origin, **more}
    return state


def random_state(device: torch.device) -> dict[str, Tensor]:
    """Return where the random numbers of the processor stand (``rng``) and, on a GPU, its own (``cuda_rng``)."""
    found = {"rng": torch.get_rng_state()}
    return found | {"cuda_rng": torch.cuda.get_rng_state(device)} if device.type == "cuda" else found


def set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Let random numbers go on from there; those that ``state`` does not have stay as they are."""
    if "rng" in state:
        torch.set_rng_state(state["rng"])
    if "cuda_rng" in state and device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda_rng"], device)


def validate(state: Checkpoint, data: Path, out: Path, rows: int, step: int, seconds: float) -> float:
    """Score on validation, at most ``rows`` of each set (0 is all), write it down and return the mean of tasks.

    ``step`` and ``seconds`` say how far the run was at this state. The mean is 0 where no set has a validation file.
    """
    state.network.eval()
    found = score_all(state.predictor(), state.tokenizer, data, limit=rows or None)
    state.network.train()
    if not found:
        return 0.0
    mean = mean_score(found)
    said = {key: round(main_metric(SETS[key], scores), 4) for key, scores in found.items()}
    _log.info("validation at step %d: mean of tasks %.4f; %s", step, mean, json.dumps(said))
    with (out / "validation.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"step": step, "seconds": seconds, "mean": mean, "sets": found}) + "\n")
    return mean


def _on_processor(value: Any) -> Any:
    """Return a value made of dicts, lists and tensors with the tensors on the processor, where any process can read."""
    if isinstance(value, Tensor):
        return value.cpu()
    if isinstance(value, dict):
        return {key: _on_processor(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_on_processor(one) for one in value]
    return value
