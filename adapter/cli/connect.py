"""`adapter connect`: what creates the destination at Segment, and the settings of the output at mParticle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from adapter.cli import mparticle_api
from adapter.cli.load_files import mappings_of
from adapter.cli.mparticle_api import Client, MParticleApi
from adapter.cli.plan_files import model_where_there_is_one, write_data_plan
from adapter.cli.segment_api import API, SegmentApi
from adapter.cli.settings import AsJson, Config, Mappings, options, settled, stopped
from adapter.cli.vendor_http import api_address
from adapter.errors import AdapterError
from adapter.model.encoding import encode
from adapter.services.authoring import connect_segment
from adapter.services.authoring.connect_mparticle import Step, steps
from adapter.services.authoring.connect_segment import SegmentSetup
from adapter.services.authoring.mparticle_drift import compare
from adapter.services.authoring.segment_drift import Drift, drift
from adapter.services.authoring.segment_script import script
from adapter.settings.values import Settings

EXAMPLES = """\b
Examples:
  adapter connect segment --url https://discounts.shop.example > segment.tf
  adapter connect segment --url https://discounts.shop.example --batch-size 100 > segment.tf
  adapter connect segment --url https://discounts.shop.example --script > connect.sh
  PUBLIC_API_TOKEN=... adapter connect segment --url https://discounts.shop.example --diff 65f0c1
  adapter connect segment --function > function.js
  adapter connect mparticle --url https://discounts.shop.example
  adapter connect mparticle --url https://discounts.shop.example --data-plan data-plan.json
  MPARTICLE_CLIENT_ID=... MPARTICLE_CLIENT_SECRET=... adapter connect mparticle \
    --url https://discounts.shop.example --diff 4302"""

commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None,
    help="Print what connects Segment or mParticle to this adapter; secrets are never printed.",
)  # fmt: skip
Url = Annotated[
    str | None, typer.Option("--url", metavar="URL", help="The public address of this adapter, with https.")
]
Batch = Annotated[
    int, typer.Option("--batch-size", min=0, max=4000, help="Messages in a request; 0 sends one each.")
]
Diff = Annotated[
    str | None,
    typer.Option(
        "--diff", metavar="ID", help="Compare this destination, with the token in PUBLIC_API_TOKEN."
    ),
]
Api = Annotated[str, typer.Option("--api", metavar="URL", help="Segment's Public API, as for Europe.")]
AsFunction = Annotated[
    bool, typer.Option("--function", help="Print a Destination Function in JavaScript instead.")
]
AsScript = Annotated[
    bool,
    typer.Option("--script", help="Print a shell script that calls the Public API with curl instead."),
]
DataPlan = Annotated[
    Path | None,
    typer.Option("--data-plan", metavar="FILE", help="Write the data model as a data plan there too."),
]

Workspace = Annotated[
    str | None,
    typer.Option("--diff", metavar="ID", help="Compare this workspace, with a client of the Platform API."),
]
Account = Annotated[
    str | None, typer.Option("--account", metavar="ID", help="The account, where there are several.")
]
Plan = Annotated[str, typer.Option("--plan", metavar="ID", help="The data plan to compare with the model.")]
PlatformApi = Annotated[str, typer.Option("--api", metavar="URL", help="mParticle's Platform API.")]
TokenUrl = Annotated[str, typer.Option("--token-url", metavar="URL", help="What issues its tokens.")]


@commands.command(epilog=EXAMPLES)
def segment(
    *,
    url: Url = None,
    batch_size: Batch = 0,
    as_script: AsScript = False,
    as_function: AsFunction = False,
    diff: Diff = None,
    api: Api = API,
    as_json: AsJson = False,
    mappings: Mappings = None,
    config: Config = None,
) -> None:
    """Print Terraform's HCL for the destination Webhooks (Actions), with the trigger of the mapping files.

    With --script, print a POSIX shell script that creates it by the Public API. With --function, print a
    Destination Function that signs whole batches. With --diff, compare what is at Segment, and exit with
    code 1 where it differs.
    """
    if as_script + as_function + (diff is not None) > 1:
        raise typer.BadParameter("choose one of --script, --function and --diff")
    if as_function:
        typer.echo(connect_segment.function(), nl=False)
        return
    address = _public(url)
    settings = settled(config, options(mappings=mappings))
    trigger = connect_segment.trigger(mappings_of(settings).of("segment"))
    if not trigger:
        typer.echo("adapter: no mapping takes messages that Segment's Webhooks (Actions) sends", err=True)
        raise typer.Exit(1)
    destination = SegmentSetup(f"{address}/webhooks/segment", trigger, batch_size)
    if as_script:
        typer.echo(_script(destination, api), nl=False)
    elif diff is None:
        typer.echo(connect_segment.hcl(destination), nl=False)
    else:
        _compare(destination, diff, api, as_json=as_json)


def _script(destination: SegmentSetup, api: str) -> str:
    try:
        api_address(api)
    except AdapterError as error:
        raise stopped(error) from None
    return script(destination, api.rstrip("/"))


def _compare(wanted: SegmentSetup, id_: str, api: str, *, as_json: bool) -> None:
    token = os.environ.get("PUBLIC_API_TOKEN", "")
    if not token:
        raise typer.BadParameter("set PUBLIC_API_TOKEN to a token of Segment's Public API")
    try:
        reading = SegmentApi(token, api)
        found = drift(wanted, reading.destination(id_), reading.subscriptions(id_))
    except AdapterError as error:
        raise stopped(error) from None
    if as_json:
        typer.echo(encode({"differs": found}))
    else:
        _print_differences(found, "the destination is as it should be")
    if found:
        raise typer.Exit(1)


@commands.command(epilog=EXAMPLES)
def mparticle(
    *,
    url: Url = None,
    data_plan: DataPlan = None,
    diff: Workspace = None,
    account: Account = None,
    plan: Plan = "behaviour_discounts",
    api: PlatformApi = mparticle_api.API,
    token_url: TokenUrl = mparticle_api.TOKEN_URL,
    mappings: Mappings = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Print the settings of the Webhook output as a checklist: mParticle has no API that creates it.

    With --data-plan, also write the data model to a file as a data plan. What a plan cannot express is
    written to standard error. A file with other content is not overwritten.

    With --diff, compare the outputs, feeds, connections and the data plan of a workspace with the checklist
    and the data model, by the client in MPARTICLE_CLIENT_ID and MPARTICLE_CLIENT_SECRET. Exits with code 1
    where they differ, and says what the API cannot show.
    """
    if diff is not None and data_plan is not None:
        raise typer.BadParameter("choose one of --diff and --data-plan")
    address = _public(url)
    settings = settled(config, options(mappings=mappings))
    if diff is not None:
        reading = Reading(diff, account, plan, api, token_url)
        _compare_workspace(address, settings, reading, as_json=as_json)
        return
    if data_plan is not None:
        write_data_plan(data_plan, Path(settings.files.mappings))
    file = "" if data_plan is None else str(data_plan)
    found = steps(address, authorized=bool(settings.mparticle.authorizations), data_plan=file)
    typer.echo(encode({"steps": found}) if as_json else "\n".join(map(_line, found)))


class Reading(NamedTuple):
    """What to read at mParticle: the workspace, its account, the data plan, and the addresses of the APIs."""

    workspace: str
    account: str | None
    plan: str
    api: str
    token_url: str


def _compare_workspace(address: str, settings: Settings, reading: Reading, *, as_json: bool) -> None:
    id_, secret = (os.environ.get(f"MPARTICLE_CLIENT_{part}", "") for part in ("ID", "SECRET"))
    if not id_ or not secret:
        raise typer.BadParameter(
            "set MPARTICLE_CLIENT_ID and MPARTICLE_CLIENT_SECRET to a client of mParticle's Platform API"
        )
    model = model_where_there_is_one(Path(settings.files.mappings))
    try:
        client = MParticleApi(Client(id_, secret), reading.api, reading.token_url)
        found = client.workspace(reading.workspace, reading.account, reading.plan)
    except AdapterError as error:
        raise stopped(error) from None
    compared = compare(address, found, model, development=settings.mparticle.accept_development)
    if as_json:
        typer.echo(encode(compared))
    else:
        _print_differences(compared.differs, "the workspace is as it should be, as far as the API shows it")
        typer.echo("\n".join(f"not compared: {each}" for each in compared.not_compared))
    if compared.differs:
        raise typer.Exit(1)


def _print_differences(differs: list[Drift], none: str) -> None:
    for one in differs:
        typer.echo(f"{one.where} is {encode(one.found).decode()}, should be {encode(one.wanted).decode()}")
    if not differs:
        typer.echo(none)


def _line(step: Step) -> str:
    return f"[ ] {step.where}: {step.write}" + (f"\n      {step.why}" if step.why else "")


def _public(url: str | None) -> str:
    try:
        parts = urlsplit(url or "")
        valid = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise typer.BadParameter("name the public address: --url https://discounts.shop.example")
    return str(url).rstrip("/")
