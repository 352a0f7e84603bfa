"""Compile the pipelines, run them on this machine, or hand them to a Kubeflow Pipelines server."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import yaml
from kfp import client, compiler, local
from kfp_server_api import OpenApiException
from urllib3.exceptions import HTTPError

from trendlark.errors import InputError, TrendlarkError
from trendlark.training.pipeline.graphs import Site, make_pipeline

# Parameters that may name something on this machine, those of them that a run makes, and words that are no places.
_PLACES = ("root", "data", "models", "lake", "base", "recipe", "service", "model")
_MADE = ("root", "models")
_WORDS = ("current", "default", "none", "e5", "fake")
_REFUSALS = (OpenApiException, HTTPError, ValueError, OSError)

Runner = Literal["subprocess", "docker"]


class PipelineError(TrendlarkError):
    """A step of a pipeline failed, or the server would not take it."""


def compile_pipeline(name: str, out: Path, site: Site | None = None) -> None:
    """Write a pipeline's YAML, for the Kubeflow dashboard or ``submit``; raises InputError where it cannot."""
    if out.suffix != ".yaml":
        raise InputError(f"Found the file {out}; allowed is a name that ends in .yaml. Name such a file.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        compiler.Compiler().compile(make_pipeline(name, site or Site()), str(out))
    except OSError as error:
        raise InputError(
            f"Could not write {out} ({error.strerror}); allowed is a file in a folder that may be written to. "
            "Name another one."
        ) from error


def parse_parameters(name: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` by the types of the pipeline's parameters; raises InputError for all that are wrong."""
    inputs = make_pipeline(name, Site()).component_spec.inputs or {}
    found: dict[str, Any] = {}
    wrong = [f"{key} is no parameter" for key in given if key not in inputs]
    wrong += [f"{key} is missing" for key, spec in inputs.items() if not spec.optional and key not in given]
    for key, text in given.items():
        if key in inputs:
            try:
                found[key] = _READERS[inputs[key].type](text)
            except (ValueError, yaml.YAMLError):
                wrong.append(f"{key} is {text!r}, not of the type {inputs[key].type}")
    if wrong:
        raise InputError(
            f"Found that {'; '.join(wrong)}. Allowed are {', '.join(inputs)}. Correct the parameters."
        )
    return found


def _flow(kind: type) -> Any:
    def read(text: str) -> Any:
        value = yaml.safe_load(text)
        if not isinstance(value, kind):
            raise ValueError(text)  # noqa: TRY004 - of the text, not of a caller's type
        return value

    return read


def _finite(text: str) -> float:
    value = float(text)
    # A margin that is not-a-number or without end is no margin.
    if not math.isfinite(value):
        raise ValueError(text)
    return value


_READERS = {
    "String": str,
    "Integer": int,
    "Float": _finite,
    "List": _flow(list),
    "Dict": _flow(dict),
}


def run_local(
    name: str,
    parameters: Mapping[str, Any],
    work: Path,
    runner: Runner = "subprocess",
    site: Site | None = None,
) -> str:
    """Run a pipeline on this machine and return its outcome; ``work`` holds its artifacts.

    ``subprocess`` runs the steps in this environment, ``docker`` in the site's image, with what the parameters name
    mounted at its own path and the variables ``AWS_*`` of this process. Raises PipelineError when a step fails.
    """
    work = work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    # A container begins in a folder of its own.
    given = dict(parameters) | {key: str(place) for key, place in _places(parameters).items()}
    with _quiet():
        pipeline = make_pipeline(name, replace(site or Site(), retries=False))
        local.init(_runner(runner, given, work), pipeline_root=str(work), raise_on_error=True)
        try:
            task = pipeline(**given)
        except RuntimeError as error:
            raise PipelineError(
                f"The pipeline {name} did not finish: {error}. What its steps had finished is kept. The log of the "
                "failed step is above; run the same command again to go on from there."
            ) from error
    # A container that vanished counts as success for kfp: what a run gave is what it returns.
    outcome = task.outputs.get("Output")
    if not outcome:
        raise PipelineError(f"The pipeline {name} ended without an outcome; a step was lost. Run it again.")
    return str(outcome)


def _runner(runner: Runner, parameters: Mapping[str, Any], work: Path) -> Any:
    if runner == "subprocess":
        return local.SubprocessRunner(use_venv=False)
    # kfp mounts ``work`` itself, and Docker refuses a place that is mounted twice.
    mounted = sorted({str(place) for place in _places(parameters).values()} - {str(work)})
    return local.DockerRunner(
        mounts=[{"Type": "bind", "Source": place, "Target": place} for place in mounted],
        environment={key: value for key, value in os.environ.items() if key.startswith("AWS_")},
        network_mode="host",
        user=f"{os.getuid()}:{os.getgid()}",
        entrypoint=["/usr/bin/env"],  # in the place of the image's own, as a pod's command is
    )


def _places(parameters: Mapping[str, Any]) -> dict[str, Path]:
    """The parameters that name something on this machine, by their absolute paths; what a run fills is made."""
    found = {}
    for key in _PLACES:
        text = str(parameters.get(key) or "")
        word = text in _WORDS or (key == "recipe" and not text.endswith(".toml"))
        if not text or word or "://" in text:
            continue
        place = Path(text).expanduser().absolute()
        if key in _MADE:
            place.mkdir(parents=True, exist_ok=True)
        if place.exists():
            found[key] = place
    return found


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # kfp guesses from an image's name whether Python is in it.
        warnings.filterwarnings(
            "ignore", message=".*custom or non-Python base image", category=RuntimeWarning
        )
        warnings.filterwarnings(
            "ignore", message=".*have no effect in the current local runner", category=UserWarning
        )
        warnings.filterwarnings("ignore", message="This client only works with", category=FutureWarning)
        yield


@dataclass(frozen=True, slots=True)
class Server:
    """A Kubeflow Pipelines server, and the file that holds the token for it, where it asks for one."""

    host: str
    namespace: str = "kubeflow"
    experiment: str = "trendlark"
    token_file: Path | None = None

    def connect(self) -> client.Client:
        """Return kfp's client; raises InputError where the token cannot be read."""
        try:
            token = self.token_file.read_text(encoding="utf-8").strip() if self.token_file else None
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"Could not read the token in {self.token_file} ({error}); allowed is a text file that holds it. "
                "Name that file."
            ) from error
        return client.Client(host=self.host, namespace=self.namespace, existing_token=token)


def submit(
    server: Server,
    package: Path,
    name: str,
    parameters: Mapping[str, Any],
    cron: str | None = None,
) -> str:
    """Start a run of a compiled pipeline, or a recurring one by ``cron``, and return its id.

    ``cron`` has five fields, or six with seconds first, in UTC. Of a recurring run one at a time goes on, and
    missed times are not made up for.
    """
    schedule = _six_fields(cron) if cron else None
    try:
        with _quiet():
            api = server.connect()
        experiment = api.create_experiment(server.experiment, namespace=server.namespace).experiment_id
        if schedule:
            made = api.create_recurring_run(
                experiment_id=experiment,
                job_name=f"trendlark-{name}",
                cron_expression=schedule,
                max_concurrency=1,
                no_catchup=True,
                pipeline_package_path=str(package),
                params=dict(parameters),
            )
            return str(made.recurring_run_id)
        run = api.create_run_from_pipeline_package(
            str(package),
            arguments=dict(parameters),
            run_name=f"trendlark-{name}",
            experiment_id=experiment,
        )
        return str(run.run_id)
    except _REFUSALS as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise PipelineError(
            f"Kubeflow Pipelines at {server.host} did not take the pipeline ({reason[:300]}). Allowed is the address "
            "of its API, such as http://127.0.0.1:8888 behind `kubectl port-forward`. Check the address and the token."
        ) from error


def _six_fields(cron: str) -> str:
    fields = cron.split()
    if len(fields) not in (5, 6) or not all(re.fullmatch(r"[0-9A-Za-z*/,?#-]+", field) for field in fields):
        raise InputError(
            f"Found the schedule {cron!r}; allowed are five fields (minute hour day month weekday) or six with seconds "
            "first, such as '0 3 * * 1'. Correct it."
        )
    return " ".join(["0", *fields] if len(fields) == 5 else fields)
