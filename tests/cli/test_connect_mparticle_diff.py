"""`adapter connect mparticle --diff` against a stand-in of mParticle's Platform API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapter.cli.main import commands
from tests.cli.mparticle_platform import CLIENT, CONNECTION, MASKED, SECRET, TOKEN, Platform, service, serving

MODEL = """\
events:
  order_completed:
    attributes:
      total: {type: number, required: true, minimum: 0}
      coupon: {type: string}
traits:
  tier: {type: string, enum: [gold, silver]}
"""
NONE = "the workspace is as it should be, as far as the API shows it"
Diff = Callable[..., Result]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mappings").mkdir()
    monkeypatch.setenv("MPARTICLE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("MPARTICLE_CLIENT_SECRET", SECRET)
    return Platform()


@pytest.fixture
def diff(platform: Platform) -> Iterator[Diff]:
    """Compare the stand-in's workspace; no secret is ever printed."""
    with serving(platform) as address:

        def run(*options: str) -> Result:
            asked = ["--diff", "4302", "--api", address, "--token-url", f"{address}/oauth/token", *options]
            result = CliRunner().invoke(
                commands, ["connect", "mparticle", "--url", "https://shop.example", *asked]
            )
            for hidden in (SECRET, TOKEN, MASKED, "hidden-path"):
                assert hidden not in result.output
            return result

        yield run


def with_model(model: str = MODEL) -> dict[str, Any]:
    """Write a data model; returns its data plan as mParticle has it."""
    Path("mappings/model.yaml").write_text(model)
    plan: dict[str, Any] = json.loads(CliRunner().invoke(commands, ["model", "export", "mparticle"]).stdout)
    [version] = plan["data_plan_versions"]
    version |= {"activated_environment": "production", "created_by": "developer@example.com"}
    return plan


def differences(result: Result) -> list[str]:
    return [line for line in result.stdout.splitlines() if not line.startswith("not compared: ")]


def test_no_difference_and_what_the_api_does_not_show(platform: Platform, diff: Diff) -> None:
    platform.plan = with_model()
    result = diff()
    assert (result.exit_code, differences(result)) == (0, [NONE])
    told = result.stdout.replace("not compared: ", "")
    for unread in ("Authorization Header is the right one", "forwarding rules", "Firehose"):
        assert unread in told
    assert "settings that the API does not return" not in told
    assert platform.calls.count("/v1/apps") == 1


def test_each_difference_of_outputs_and_connections_is_told(platform: Platform, diff: Diff) -> None:
    platform.plan = with_model()
    wrong = {"sendAsBatch": "True", "sendCommerceEvents": "False", "authorizationHeader": ""}
    platform.ios = [service(**{**CONNECTION, **wrong})]
    platform.web[0]["isActive"] = False
    platform.subscriptions[0] |= {"is_active": False, "settings": [{"name": "sendAsBatch", "value": "True"}]}
    platform.feed["is_debug"] = True
    result = diff()
    assert (result.exit_code, differences(result)) == (1, [
        'Shop iOS.Send as Batch is "True", should be "False"',
        'Shop iOS.Send Commerce Events is "False", should be "True"',
        'Shop iOS.Authorization Header is "missing", should be "set"',
        "Shop MobileWeb.active is false, should be true",
        "feed Server.development is true, should be false",
        "feed connection Adapter.active is false, should be true",
        'feed connection Adapter.Send as Batch is "True", should be "False"',
    ])  # fmt: skip
    found = json.loads(diff("--json").stdout)
    assert len(found["differs"]) == 7
    assert found["not_compared"]


def test_a_development_feed_is_right_where_such_events_are_rewarded(
    platform: Platform, diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADAPTER_MPARTICLE_ACCEPT_DEVELOPMENT", "true")
    platform.feed["is_debug"] = True
    assert differences(diff()) == [NONE]


def test_events_that_are_filtered_are_told_and_attributes_are_named(platform: Platform, diff: Diff) -> None:
    platform.new = False
    platform.filters += [
        {"name": "Cart Viewed", "type": "ScreenView", "enabled": False},
        {
            "name": "Order Completed",
            "type": "CommerceAttribute",
            "attribute_name": "coupon",
            "enabled": False,
        },
        {"name": "Email", "type": "UserIdentity", "enabled": False},
    ]
    result = diff()
    assert differences(result) == [
        "app Shop.send new data points is false, should be true",
        'app Shop.ScreenView Cart Viewed is "not sent", should be "sent"',
    ]
    assert (
        "leave out attributes and identities, if rules need them: Order Completed coupon, Email"
        in result.stdout
    )


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ([], 'outputs.POST URL is null, should be "https://shop.example/webhooks/mparticle"'),
        (
            [service(postUrl="https://user:hidden-path@old.example/hidden-path")],
            'outputs.POST URL is ["old.example"], should be "https://shop.example/webhooks/mparticle"',
        ),
    ],
    ids=["no output", "another address"],
)
def test_a_missing_output_is_told_with_the_hosts_of_others(
    platform: Platform, diff: Diff, outputs: list[dict[str, Any]], told: str
) -> None:
    platform.ios, platform.web = outputs, []
    result = diff()
    assert (result.exit_code, differences(result)) == (1, [told])


def test_an_account_without_the_webhook_output_is_told(platform: Platform, diff: Diff) -> None:
    platform.services = platform.services[:1]
    assert differences(diff()) == ['services is null, should be "one named Webhook"']


def test_an_input_without_the_output_and_settings_of_other_names_are_not_compared(
    platform: Platform, diff: Diff
) -> None:
    platform.web = []
    platform.ios = [service(postUrl=CONNECTION["postUrl"], authorizationHeader=MASKED, batching="True")]
    result = diff()
    assert (result.exit_code, differences(result)) == (0, [NONE])
    assert "not compared: inputs without this output, if they should have it: Shop MobileWeb" in result.stdout
    assert "does not return under such a name: Include MP DeviceId, Send as Batch," in result.stdout
    assert "not compared: the data plan: there is no model.yaml" in result.stdout


def test_connections_of_feeds_are_not_compared_where_the_api_does_not_tell_the_output(
    platform: Platform, diff: Diff
) -> None:
    platform.configurations = [{"id": 24020, "name": "One"}, {"id": 24021, "name": "Two"}]
    platform.subscriptions[0]["is_active"] = False
    result = diff()
    assert (result.exit_code, differences(result)) == (0, [NONE])
    assert "does not say which output has this address: One, Two" in result.stdout


def test_a_data_plan_that_has_drifted_is_told_by_its_members(platform: Platform, diff: Diff) -> None:
    platform.plan = with_model(MODEL.replace("minimum: 0", "minimum: 5") + "  plan: {type: string}\n")
    platform.plan["data_plan_versions"][0]["activated_environment"] = "none"
    with_model()
    name, number = "data plan behaviour_discounts", '{{"type":"number","required":true,"minimum":{}}}'.format
    assert differences(diff()) == [
        f'{name}.active in is "none", should be "production"',
        f"{name}.event order_completed.total is {number(5)}, should be {number(0)}",
        f'{name}.user attributes.plan is {{"type":"string"}}, should be null',
    ]


def test_the_version_that_is_active_in_production_is_compared(platform: Platform, diff: Diff) -> None:
    platform.plan = with_model()
    draft = {"version": 2, "activated_environment": "none", "version_document": {"data_points": []}}
    platform.plan["data_plan_versions"].append(draft)
    assert differences(diff()) == [NONE]


def test_a_missing_data_plan_is_told(platform: Platform, diff: Diff) -> None:
    with_model()
    assert differences(diff()) == ['data plan behaviour_discounts is null, should be "the data model"']


def test_several_accounts_need_a_choice(platform: Platform, diff: Diff) -> None:
    platform.accounts.append({"name": "Other", "id": 8, "data_type": "account"})
    result = diff()
    assert (result.exit_code, "--account: 7 (Shop), 8 (Other)" in result.stderr) == (1, True)
    assert diff("--account", "7").exit_code == 0
    assert "refuses the token for this account" in diff("--account", "9").stderr


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "check --account"),
        (403, "may not read this"),
        (404, "no such account or workspace"),
        (429, "try again in 7 seconds"),
        (500, "answered 500"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/apps", "/v1/workspace/4302/partnerfeeds"])
def test_an_answer_that_is_no_configuration_ends_with_what_to_do(
    platform: Platform, diff: Diff, path: str, status: int, told: str
) -> None:
    platform.statuses[path] = status
    result = diff()
    assert (result.exit_code, told in result.stderr, result.stdout) == (1, True, "")


def test_an_answer_of_another_form_is_told(platform: Platform, diff: Diff) -> None:
    platform.subscriptions = [{"identifier": 1}]
    result = diff()
    assert (result.exit_code, "another form than it documents" in result.stderr) == (1, True)


def test_a_refused_client_is_told(diff: Diff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPARTICLE_CLIENT_SECRET", "wrong-secret")
    result = diff()
    assert (result.exit_code, "refuses the client" in result.stderr) == (1, True)
    assert "wrong-secret" not in result.output


@pytest.mark.parametrize("option", ["--api", "--token-url"])
def test_a_secret_never_goes_unencrypted_to_another_machine(
    platform: Platform, diff: Diff, option: str
) -> None:
    result = diff(option, "http://mparticle.example")
    assert (result.exit_code, f"write {option} https://" in result.stderr) == (1, True)
    assert not platform.calls


def test_without_a_client_nothing_is_asked(
    platform: Platform, diff: Diff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MPARTICLE_CLIENT_SECRET")
    assert diff().exit_code == 2
    assert diff("--data-plan", "plan.json").exit_code == 2
    assert not platform.calls
