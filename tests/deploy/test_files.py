"""The files of deploy/ are what their tools take, and name what the adapter has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft7Validator

from adapter.mapping.mapping_set import load
from adapter.metrics import Metrics
from adapter.rules.engine import ruleset
from adapter.settings.load import read
from adapter.settings.values import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = sorted(DEPLOY.glob("compose.*.yaml"))
_COMPOSE_SCHEMA = "builtin_schemas/vendor/compose-spec.json"
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))


class _Reset(yaml.SafeLoader):
    """Reads Compose's `!reset`, which takes away what another file says."""


_Reset.add_constructor("!reset", lambda loader, node: [])


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def manifest(kind: str, name: str) -> Any:
    return next(each for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name))


def test_a_linter_finds_nothing_in_the_dockerfile() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_dockerfile_copies_what_is_there_and_not_ignored() -> None:
    kept = {line[1:] for line in text("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text("Dockerfile"), re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists()
            assert name in kept


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_compose_files_are_valid(path: Path) -> None:
    schema = json.loads(
        files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text()
    )
    document = yaml.load(path.read_text(encoding="utf-8"), _Reset)
    assert list(Draft7Validator(schema).iter_errors(document)) == []
    for service in document["services"].values():
        for volume in service.get("volumes", []):
            if volume.startswith("../"):
                assert (DEPLOY / volume.partition(":")[0]).exists()


@pytest.mark.parametrize("one", MANIFESTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_kubernetes_manifests_are_valid(one: Any) -> None:
    kubernetes_validate.validate(one, "1.34", strict=True)


def test_the_files_in_the_config_maps_are_valid(tmp_path: Path) -> None:
    for name in ("settings", "mappings", "rules"):
        (tmp_path / name).mkdir()
        for file, content in manifest("ConfigMap", f"adapter-{name}")["data"].items():
            (tmp_path / name / file).write_text(content)
    mappings, problems = load(tmp_path / "mappings")
    assert (mappings is not None, problems) == (True, [])
    rules, problems = ruleset.load(tmp_path / "rules")
    assert (rules is not None, problems) == (True, [])
    settings, problems = read(tmp_path / "settings" / "adapter.toml", {}, {})
    assert (settings is not None, problems) == (True, [])


def test_environment_variables_are_settings() -> None:
    names = set(re.findall(r"\bADAPTER_[A-Z_]+", "".join(path.read_text() for path in DEPLOY.iterdir())))
    for name in names - {"ADAPTER_DOMAIN", "ADAPTER_STORE"}:
        section, _, key = name.removeprefix("ADAPTER_").lower().partition("_")
        assert hasattr(getattr(Settings(), section), key), name


def test_pods_are_probed_and_stopped_as_the_server_expects() -> None:
    spec = manifest("Deployment", "adapter")["spec"]["template"]["spec"]
    [container] = spec["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert spec["terminationGracePeriodSeconds"] >= 15


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="apt-get install systemd")
def test_the_unit_is_valid(tmp_path: Path) -> None:
    unit = tmp_path / "adapter.service"
    unit.write_text(text("adapter.service").replace("/opt/adapter/bin/adapter", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert "adapter.service" not in done.stderr, done.stderr


def exported() -> set[str]:
    found = set()
    for metric in Metrics().registry.collect():
        found |= {metric.name, f"{metric.name}_total", f"{metric.name}_bucket"}
    return found


@pytest.mark.parametrize("name", ["alerts.yaml", "grafana.json"])
def test_every_metric_that_is_asked_for_exists(name: str) -> None:
    asked = set(re.findall(r"\badapter_[a-z_]+", text(name)))
    assert asked
    assert asked <= exported()


def test_alerts_say_what_to_do() -> None:
    [group] = yaml.safe_load(text("alerts.yaml"))["groups"]
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"])


def test_no_two_panels_of_the_dashboard_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(text("grafana.json"))["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert taken.isdisjoint(cells)
        taken |= cells


def test_the_proxy_lets_through_what_the_adapter_takes() -> None:
    site = text("nginx.conf")
    settings = Settings()
    assert (
        int(re.findall(r"client_max_body_size (\d+)m", site)[0]) * 1_000_000 >= settings.server.max_body_bytes
    )
    assert int(re.findall(r"proxy_read_timeout (\d+)s", site)[0]) > settings.ingest.max_wait_seconds
    assert site.count("{") == site.count("}")


def test_the_page_names_every_file() -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    for path in DEPLOY.iterdir():
        assert path.name in page or path.name.startswith((".", "Dockerfile"))


@pytest.mark.long
def test_the_steps_of_the_image_build_a_program_that_starts(tmp_path: Path) -> None:
    build, target = tmp_path / "src", tmp_path / "opt"
    for line in re.findall(r"^COPY (?!--from)(.*) (\S+)$", text("Dockerfile"), re.MULTILINE):
        for name in line[0].split():
            source, copy = ROOT / name, build / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    [install] = re.findall(r"^RUN (python -m venv (?:.|\\\n)*?)\n\n", text("Dockerfile"), re.MULTILINE)
    command = install.replace("/opt/adapter", str(target)).replace("python -m", f"{sys.executable} -m", 1)
    subprocess.run(["sh", "-ec", command], cwd=build, check=True, capture_output=True)
    check = [str(target / "bin" / "adapter"), "check"]
    done = subprocess.run(check, cwd=build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
