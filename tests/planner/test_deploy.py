"""docs/deploy: the certificates that it makes are good for Dask, and its files name what there is."""

from __future__ import annotations

import shlex
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Group

from planner.doctor.certificates import ends_at
from planner.jobs.cluster import security_for
from planner.settings import JobSettings, read_settings
from webui.cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "docs" / "deploy"
NAMES = ("ca.pem", "dask.pem", "dask.key")


def make_certificates(folder: Path, *options: str) -> str:
    command = [sys.executable, str(DEPLOY / "make_certificates.py"), str(folder), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_certificates_are_made_once_for_their_owner_only_and_dask_takes_them(tmp_path: Path) -> None:
    folder = tmp_path / "dask"
    make_certificates(folder)
    made = {name: (folder / name).read_bytes() for name in NAMES}
    assert {path.name for path in folder.iterdir()} == set(NAMES), "the authority's key is kept nowhere"
    assert all((folder / name).stat().st_mode & 0o077 == 0 for name in NAMES)
    assert "are there until" in make_certificates(folder)
    assert {name: (folder / name).read_bytes() for name in NAMES} == made

    files = {"tls_ca_file": "ca.pem", "tls_certificate": "dask.pem", "tls_key": "dask.key"}
    chosen = {setting: str(folder / name) for setting, name in files.items()}
    assert security_for(JobSettings(scheduler="tls://scheduler:8786", **chosen)) is not None
    for purpose in (ssl.Purpose.SERVER_AUTH, ssl.Purpose.CLIENT_AUTH):
        ssl.create_default_context(purpose, cafile=chosen["tls_ca_file"]).load_cert_chain(
            chosen["tls_certificate"], chosen["tls_key"]
        )


def test_certificates_that_are_about_to_end_are_made_anew(tmp_path: Path) -> None:
    make_certificates(tmp_path, "--days", "20")
    make_certificates(tmp_path)
    assert ends_at(tmp_path / "dask.pem") > datetime.now(UTC) + timedelta(days=800)


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_every_command_of_the_compose_file_is_one(compose: Any) -> None:
    for name in ("app", "work"):
        command, *options = compose["services"][name]["command"]
        assert isinstance(main, Group)
        main.commands[command].make_context(command, options)
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert 'CMD ["serve", "--production", "--host", "0.0.0.0"]' in dockerfile


def test_the_compose_file_names_only_volumes_networks_and_files_that_there_are(compose: Any) -> None:
    made_by_the_admin = {"./settings.toml"}
    for name, service in compose["services"].items():
        assert set(service.get("networks", [])) <= set(compose["networks"]), name
        assert set(service.get("depends_on", {})) <= set(compose["services"]), name
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            there = source in compose["volumes"] or source in made_by_the_admin or (DEPLOY / source).exists()
            assert there, (name, source)
        assert name == "proxy" or "ports" not in service, "only the proxy is reached from outside"


def test_everybody_in_the_compose_file_speaks_tls_by_the_same_files(compose: Any, tmp_path: Path) -> None:
    services = compose["services"]
    for name in ("scheduler", "worker"):
        assert services[name]["environment"]["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"] == "True"
        told = dict(option.split("=") for option in services[name]["command"])
        (tmp_path / "settings.toml").write_text((DEPLOY / "settings.example.toml").read_text())
        jobs = read_settings(tmp_path, {}).jobs
        assert told == {
            "--tls-ca-file": jobs.tls_ca_file,
            "--tls-cert": jobs.tls_certificate,
            "--tls-key": jobs.tls_key,
        }
    assert jobs.scheduler in shlex.join(services["worker"]["entrypoint"])


def test_the_image_is_built_from_files_that_there_are() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    copied = [word for line in dockerfile.splitlines() if line.startswith("COPY ") for word in line.split()[1:-1]]
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for source in copied:
        if not source.startswith(("--from", "/opt")):
            assert (ROOT / source).exists(), source
            assert f"!{source}\n" in ignored, source
    assert "FROM python:3.11-slim-bookworm\n" in dockerfile
    assert "USER fieldvisit" in dockerfile
