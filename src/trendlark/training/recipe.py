"""Recipes: how a model is trained, as data. The ones that ship lie in ``recipes/``; any TOML file will do."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from trendlark.errors import InputError
from trendlark.nlu.tasks import TASKS
from trendlark.training.data import RARITY
from trendlark.training.model import POOLED_TASKS
from trendlark.training.optimise import Rates
from trendlark.training.sets import EMOJI_SETS, SETS, SOFT_SETS, TEXT_SETS

# The losses that ``weights`` may multiply: of the tasks and of what only helps training.
LOSSES = (*TASKS, "emoji", "words", "r_drop")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that a run depends on besides the data; every field may be left out of the file.

    ``base`` is the encoder to begin from: ``e5``, which the installed package carries and of whose vocabulary
    ``pieces`` are kept, or the folder of another one (see ``bert.py``); ``layers`` takes only its lowest (0 for
    all); of a model that a run starts from it leaves out the highest, or puts the base's next ones on top. The
    words and the lowest ``frozen`` layers are not trained (0 for none of these).
    ``steps`` end the multi-task stage, or ``epochs`` where these are given: so many times as many examples as the
    sets have; minutes may end it earlier. A batch has at most ``tokens_per_batch`` tokens. The rate climbs for the
    share ``warm_up`` of the stage and falls to nothing; ``*_rate`` are its peaks, lower layers get ``layer_decay``
    less each. Each time a text is met, a share ``word_dropout`` of its tokens is blanked. Where ``r_drop`` is above
    0 each batch is read twice, and this much of the disagreement of the two answers is added to the loss; a share
    ``smoothing`` of people's labels is spread over what they might have said (``losses.py``). A set of n examples
    is drawn in proportion to n to the ``power`` times its entry in ``boosts``; 0 leaves it out. ``weights``
    multiply the loss of a task; a label weighs its rarity in its set to the power ``rarity``. A share ``noise`` of
    the texts is read as people write otherwise: shouted, small, mistyped, without accents; where words are tagged,
    word by word. A share ``unsearched`` of the tweets of hate is read without the words that they were searched by,
    where people tell it (``noise.py``). Of the tasks ``soft_without`` soft labels are not read. Where ``masked`` is
    above 0 raw tweets are drawn, too (``text_en`` and so on), and this share of their words is blanked and to be
    guessed (``masked.py``). Where ``ngrams`` is above 0 a table of so many rows, a power of two, is fitted beside
    the network at the end (``wide.py``). ``validate_rows`` of each set are scored every ``validate_minutes``; after
    ``patience`` of these without a better mean of tasks the run stops, and ends with the best state (0 for never).
    Several processes average their weights every ``average_every`` steps, or, where that is 0, their gradients at
    each.
    """

    name: str = "custom"
    seed: int = 0
    base: str = "e5"
    pieces: int = 40_000
    layers: int = 0
    frozen: int = 0
    steps: int = 12_000
    epochs: float = 0.0
    tokens_per_batch: int = 1024
    warm_up: float = 0.05
    power: float = 0.6
    encoder_rate: float = 1e-4
    heads_rate: float = 4e-4
    words_rate: float = 3e-4
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    rarity: float = RARITY
    word_dropout: float = 0.0
    r_drop: float = 0.0
    smoothing: float = 0.0
    noise: float = 0.0
    unsearched: float = 0.0
    soft_without: tuple[str, ...] = ()
    masked: float = 0.0
    ngrams: int = 0
    checkpoint_minutes: float = 10.0
    validate_minutes: float = 20.0
    validate_rows: int = 250
    patience: int = 0
    average_every: int = 20
    boosts: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def rates(self) -> Rates:
        """The learning rates of the multi-task stage."""
        return Rates(self.encoder_rate, self.heads_rate, self.words_rate, self.layer_decay, self.weight_decay)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data."""
        return asdict(self) | {"boosts": dict(self.boosts), "weights": dict(self.weights)}

    def differences(self, other: Mapping[str, Any]) -> list[str]:
        """Return where another recipe, as plain data, is not this one.

        It may be from before some settings were: it is read as one that leaves them out.
        """
        found = []
        plain = Recipe().to_dict()
        for name, own in self.to_dict().items():
            was = other.get(name, plain[name])
            if isinstance(own, Mapping):
                keys = sorted({*was, *own})
                # What has no entry is multiplied by nothing.
                pairs = [(f"{name}.{key}", was.get(key, 1.0), own.get(key, 1.0)) for key in keys]
            else:
                pairs = [(name, was, own)]
            found += [f"{key} is {one!r}, not {this!r}" for key, one, this in pairs if one != this]
        return found


def load_recipe(name: str, base: str | None = None) -> Recipe:
    """Read a recipe by its name in ``recipes/`` or by the path of a TOML file; ``base`` takes the place of its own."""
    own = Path(__file__).parent / "recipes"
    path = Path(name) if name.endswith(".toml") else own / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(one.stem for one in own.glob("*.toml")))
        raise InputError(f"No recipe {name!r}. Allowed are {known}, or the path of a .toml file. Choose one.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"Could not read the recipe {path}: {error}. Allowed is a TOML file in UTF-8, such as those in {own}. "
            "Correct the file."
        ) from error
    return parse_recipe(table | {"base": base} if base else table, path.name)


def parse_recipe(table: Mapping[str, Any], source: str) -> Recipe:
    """Check a recipe's keys and types, all at once, and return it."""
    known = {one.name: one.default for one in fields(Recipe)}
    wrong = [f"{key} is no setting" for key in table if key not in known]
    for key, value in table.items():
        if isinstance(known.get(key), int | float) and not _is_number(value):
            wrong.append(f"{key} is {value!r}, not a number")
    base = str(table.get("base", "e5"))
    if base != "e5" and not Path(base).is_dir():
        wrong.append(f"base is {base!r}, not one of e5 and the folders of this machine")
    rows = table.get("ngrams", 0)
    if isinstance(rows, int) and (rows < 0 or rows & (rows - 1)):
        wrong.append(f"ngrams is {rows}, not 0 or a power of two")
    without = table.get("soft_without", [])
    if not isinstance(without, list | tuple) or not all(one in POOLED_TASKS for one in without):
        wrong.append(f"soft_without is {without!r}, not a list of tasks out of {', '.join(POOLED_TASKS)}")
    sets = {*SETS, *EMOJI_SETS, *SOFT_SETS, *TEXT_SETS}
    wrong += _table_faults("boosts", table.get("boosts", {}), sets, "no set")
    losses = f"not one of {', '.join(LOSSES)}"
    wrong += _table_faults("weights", table.get("weights", {}), LOSSES, losses)
    if wrong:
        raise InputError(f"{source}: {'; '.join(wrong)}. Allowed are {', '.join(known)}. Correct the recipe.")
    return Recipe(**{**table, "soft_without": tuple(without)})


def _table_faults(name: str, table: Any, allowed: Collection[str], unknown: str) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"{name} is {table!r}, not a table"]
    wrong = [f"{name}.{key} is {unknown}" for key in table if key not in allowed]
    return wrong + [
        f"{name}.{key} is {value!r}, not a number" for key, value in table.items() if not _is_number(value)
    ]


def _is_number(value: Any) -> bool:
    # To Python true is the number 1.
    return isinstance(value, int | float) and not isinstance(value, bool)
