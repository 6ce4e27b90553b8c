"""The installation: areas, workers, addresses, the people who may log in, and the hosts that may be called."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from planner.access import Role
from planner.doctor.certificates import ends_at
from planner.doctor.findings import Finding, bad, doubtful, good
from planner.errors import PlannerError
from planner.jobs.requests import why_nothing_runs
from planner.people.accounts import needs_second_factor
from planner.repository import UnitOfWork
from planner.rush_hours import slowed
from planner.settings import Settings
from routing.area import Areas
from routing.errors import RoutingError
from routing.geocoders import PUBLIC_SERVERS

SOON = timedelta(days=21)


def areas(settings: Settings) -> Iterator[Finding]:
    """There is an area, and each can be read."""
    found = Areas(settings.areas).list()
    if not found:
        yield doubtful("areas", "there is none yet", "build one: fieldvisit area add NAME --extract FILE")
    for area in found:
        try:
            facts = area.facts()
            slowed(area.streets(), settings.traffic)
            area.gazetteer()
            lacking = "" if area.basemap.exists() else "its base map is missing"
        except (RoutingError, OSError) as error:
            lacking = str(error)
        if lacking:
            yield bad("areas", f"{area.name}: {lacking}", "remove it and add it again; its records stay")
        else:
            yield good("areas", f"{area.name}: {facts.nodes:,} street nodes, {facts.addresses:,} addresses")


def workers(settings: Settings, now: datetime) -> Iterator[Finding]:
    """The workers can be reached safely, and are as this machine is."""
    chosen = settings.jobs
    if not chosen.scheduler:
        yield good("workers", f"{chosen.workers} for plans and one for short jobs, on this machine")
        return
    from planner.jobs.cluster import look_at  # most of a second to load

    for name in ("tls_ca_file", "tls_certificate", "tls_key"):
        file = Path(getattr(chosen, name))
        if file.is_file():
            yield from _tls_file(name, file, now)
    try:
        seen = look_at(settings)
    except PlannerError as error:
        yield bad("workers", str(error), "start it (docs/operations.md, Growing), and check [jobs] in settings.toml")
        return
    for address, oddity in seen.odd.items():
        yield bad("workers", f"{address} {oddity}", "give all machines the same image or installation")
    if not seen.workers:
        yield bad("workers", f"{chosen.scheduler} has none", "start dask worker on some machine, with the three files")
    elif not seen.odd:
        yield good("workers", f"{seen.workers} at {chosen.scheduler}, all of this version")


def _tls_file(name: str, file: Path, now: datetime) -> Iterator[Finding]:
    if name == "tls_key":
        if os.name != "nt" and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            yield bad("workers", f"others on this machine can read the key {file}", f"chmod 600 {file}")
        return
    try:
        ends = ends_at(file)
    except (OSError, ValueError) as error:
        yield bad("workers", f"{name} {file} is no certificate: {error}", "make the certificates again")
        return
    if ends < now:
        yield bad("workers", f"the certificate {file} ended on {ends:%Y-%m-%d}", "make the certificates again")
    elif ends < now + SOON:
        yield doubtful("workers", f"the certificate {file} ends on {ends:%Y-%m-%d}", "make the certificates again")


def dispatcher(unit: UnitOfWork, now: datetime) -> Iterator[Finding]:
    """Somebody works on the jobs that people ask for."""
    trouble = why_nothing_runs(unit, now)
    if trouble:
        yield doubtful("jobs", trouble, "fieldvisit serve starts one, unless told --without-work")
    else:
        yield good("jobs", f"{len(unit.heartbeats.find())} dispatchers")


def address(settings: Settings) -> Iterator[Finding]:
    """Browsers come by https, and what stands between is believed as far as it should be."""
    web = settings.web
    if not web.public_url:
        yield good("address", "the pages answer on this machine only; [web] public_url opens them to others")
    elif not web.public_url.startswith("https://"):
        yield doubtful("address", f"{web.public_url} is not https", "use it for tests only")
    elif web.proxies == 0:
        yield doubtful(
            "address",
            f"{web.public_url} needs a proxy for TLS, and [web] proxies is 0",
            "set proxies to how many stand in front: without it everybody's address is the proxy's, and log-ins "
            "are throttled together",
        )
    else:
        yield good("address", f"{web.public_url}, {web.proxies} {'proxy' if web.proxies == 1 else 'proxies'} believed")


def people(unit: UnitOfWork, settings: Settings) -> Iterator[Finding]:
    """An admin can log in, and whoever must have a second factor does."""
    able = [user for user in unit.users.find() if not user.disabled]
    admins = [user for user in able if user.role is Role.ADMIN]
    if not admins:
        yield bad("people", "no admin can log in", "open /setup with the code that fieldvisit serve prints")
        return
    lacking = [user for user in able if needs_second_factor(user, settings.login)]
    bare = [user for user in admins if user.password_hash and not user.totp_secret]
    if lacking:
        yield doubtful("people", f"{len(lacking)} have yet to set up their second factor", "they are asked at login")
    elif bare:
        yield doubtful(
            "people",
            f"{len(bare)} of {len(admins)} admins have a password and no second factor",
            'ask for it: second_factor = ["admin"] in [login]',
        )
    else:
        yield good("people", f"{len(able)} can log in, {len(admins)} of them admins")


def hosts(settings: Settings) -> Iterator[Finding]:
    """What the settings want to call is on the list of hosts that may be called."""
    wanted = {
        **{
            name: getattr(settings.geocoding, f"{name}_url") or PUBLIC_SERVERS[name]
            for name in settings.geocoding.online
        },
        **({"single sign-on": settings.oidc.issuer} if settings.oidc.issuer else {}),
    }
    for what, url in wanted.items():
        refusal = settings.outgoing.refusal(url if "://" in url else f"https://{url}")
        if refusal:
            yield bad("hosts", f"{what} wants to call {url}: {refusal}", "add the host there, or stop using it")
        else:
            yield good("hosts", f"{what} may call {url}")
    ca_file = settings.outgoing.ca_file
    if ca_file and not Path(ca_file).is_file():
        yield bad("hosts", f"[outgoing] ca_file: there is no file {ca_file}", "correct the path, or leave it out")
    if settings.oidc.issuer and not settings.oidc_secret:
        yield bad("hosts", "single sign-on has no secret", "set FIELDVISIT_OIDC_SECRET to the client's secret")
    if not wanted:
        yield good("hosts", "no other host is called")
