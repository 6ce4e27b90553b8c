"""Backups: one archive that holds an installation, whatever database it is in. docs/backup.md explains it to people."""

from planner.backup.archive import Manifest
from planner.backup.making import backup
from planner.backup.restoring import restore

__all__ = ["Manifest", "backup", "restore"]
