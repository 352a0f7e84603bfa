"""``trendlark pipeline``: the training pipeline on Kubeflow (extra [pipeline])."""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trendlark.cli.options import one_of
from trendlark.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from trendlark.training.pipeline.graphs import Site
    from trendlark.training.pipeline.running import Runner

_PIPELINES = ("train", "reanalyze")
_RUNNERS: tuple[Runner, ...] = ("subprocess", "docker")

Which = Annotated[str, typer.Argument(help="train or reanalyze.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="NAME=VALUE, a parameter of docs/pipeline.md; lists and maps in YAML. Repeat it."
    ),
]
Image = Annotated[str | None, typer.Option(help="Image of the steps, in your registry.", show_default=False)]
Cpu = Annotated[str | None, typer.Option(help="CPUs of a training step.", show_default=False)]
Memory = Annotated[str | None, typer.Option(help="Memory of a training step.", show_default=False)]
Nodes = Annotated[
    list[str] | None, typer.Option("--node-selector", help="LABEL=VALUE of the nodes that train. Repeat it.")
]
ClaimFlag = Annotated[str | None, typer.Option(help="ReadWriteMany claim of the steps.", show_default=False)]
Gpus = Annotated[int, typer.Option(min=0, help="GPUs (nvidia.com/gpu) for each training step.")]

app = typer.Typer(
    name="pipeline",
    help="Train, judge and ship a model, or analyse past hours again, with Kubeflow Pipelines.",
    no_args_is_help=True,
)


def register(parent: typer.Typer) -> None:
    """Put these commands on the command line."""
    parent.add_typer(app, name="pipeline", rich_help_panel="The model")


@app.command("compile")
def compile_(
    out: Annotated[Path, typer.Option(help="The YAML file to write.")],
    which: Which = "train",
    image: Image = None,
    claim: ClaimFlag = None,
    train_cpu: Cpu = None,
    train_memory: Memory = None,
    gpus: Gpus = 0,
    node_selector: Nodes = None,
) -> None:
    """Write a pipeline as YAML, for the dashboard of Kubeflow Pipelines or any other way to submit it."""
    name = one_of(which, _PIPELINES, "the pipeline")
    site = _site(image, claim, train_cpu, train_memory, gpus, node_selector)
    from trendlark.training.pipeline.running import compile_pipeline

    compile_pipeline(name, out, site)


@app.command("run")
def run(
    which: Which = "train",
    parameters: Parameters = None,
    local: Annotated[
        bool, typer.Option("--local", help="On this machine; `submit` is for a server.")
    ] = False,
    work: Annotated[Path, typer.Option(help="Folder for the claim and for what the steps show.")] = Path(
        "build/pipeline"
    ),
    runner: Annotated[
        str, typer.Option(help="subprocess (this environment) or docker (the image).")
    ] = "subprocess",
    image: Image = None,
) -> None:
    """Run a pipeline on this machine to its end; the same command goes on where it was cut off."""
    name = one_of(which, _PIPELINES, "the pipeline")
    chosen = one_of(runner, _RUNNERS, "--runner")
    if not local:
        raise InputError(
            "Found neither --local nor a server; allowed are `trendlark pipeline run --local` and "
            "`trendlark pipeline submit --host URL`. Choose one."
        )
    site = _site(image)
    from trendlark.training.pipeline.running import parse_parameters, run_local

    claim = work.absolute() / "claim"
    claim.mkdir(parents=True, exist_ok=True)
    given = {"root": str(claim), **_pairs(parameters)}
    outcome = run_local(name, parse_parameters(name, given), work / "steps", chosen, site)  # type: ignore[arg-type]
    sys.stdout.flush()
    typer.echo(outcome)


@app.command("submit")
def submit(
    host: Annotated[str, typer.Option(help="API of Kubeflow Pipelines, such as http://127.0.0.1:8888.")],
    which: Which = "train",
    parameters: Parameters = None,
    cron: Annotated[
        str | None, typer.Option(help="Run it again and again: minute hour day month weekday, in UTC.")
    ] = None,
    namespace: Annotated[str, typer.Option(help="Namespace of the runs.")] = "kubeflow",
    experiment: Annotated[str, typer.Option(help="Experiment that the runs belong to.")] = "trendlark",
    token_file: Annotated[Path | None, typer.Option(help="File with a bearer token for the API.")] = None,
    cache: Annotated[bool, typer.Option(help="Take steps that were done before from the cache.")] = True,
    image: Image = None,
    claim: ClaimFlag = None,
    train_cpu: Cpu = None,
    train_memory: Memory = None,
    gpus: Gpus = 0,
    node_selector: Nodes = None,
) -> None:
    """Hand a pipeline to a Kubeflow Pipelines server, once or by a schedule, and print the id of the run."""
    name = one_of(which, _PIPELINES, "the pipeline")
    site = _site(image, claim, train_cpu, train_memory, gpus, node_selector, cache)
    from trendlark.training.pipeline import running

    server = running.Server(host, namespace, experiment, token_file)
    wanted = running.parse_parameters(name, _pairs(parameters))
    with tempfile.TemporaryDirectory() as scratch:
        package = Path(scratch) / f"{name}.yaml"
        running.compile_pipeline(name, package, site)
        typer.echo(running.submit(server, package, name, wanted, cron))


@app.command("rollback")
def rollback(
    models: Annotated[str, typer.Option(help="The shelf: a folder or an s3:// address with models.json.")],
    to: Annotated[
        str, typer.Option(help="A version on the shelf, or the one before the current.")
    ] = "previous",
    targets: Annotated[
        str, typer.Option(help="deployment/NAME and inferenceservice/NAME, with commas between.")
    ] = "",
    namespace: Annotated[str, typer.Option(help="Namespace of the targets.")] = "trendlark",
    minutes: Annotated[float, typer.Option(min=0.1, help="How long the targets may take.")] = 10.0,
) -> None:
    """Put a version that was published before in service again."""
    _need_extra()
    from trendlark.training.steps.rollout import put_in_service
    from trendlark.training.steps.shelf import open_shelf

    typer.echo(put_in_service(open_shelf(models), to, targets, namespace, 60 * minutes))


def _pairs(given: list[str] | None, option: str = "--set") -> dict[str, str]:
    pairs = [one.partition("=") for one in given or ()]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise InputError(f"Found {option} {', '.join(wrong)}; allowed is NAME=VALUE. Give a value.")
    return {name.strip(): value for name, _, value in pairs}


def _site(
    image: str | None,
    claim: str | None = None,
    cpu: str | None = None,
    memory: str | None = None,
    gpus: int = 0,
    node_selector: list[str] | None = None,
    caching: bool = True,
) -> Site:
    _need_extra()
    from trendlark.training.pipeline.graphs import Site

    usual = Site()
    return Site(
        image=image or usual.image,
        claim=claim or usual.claim,
        cpu=cpu or usual.cpu,
        memory=memory or usual.memory,
        gpus=gpus,
        node_selector=_pairs(node_selector, "--node-selector"),
        caching=caching,
    )


def _need_extra() -> None:
    missing = [name for name in ("kfp", "kubernetes", "tomli_w") if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Found no {', '.join(missing)}; pipelines need the extra [pipeline]. "
            "Install it: pip install 'trendlark[train,pipeline]' (or `make train-deps` in a clone)."
        )
