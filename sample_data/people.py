"""Let the people of people.csv log in to a demo, and print how.

    python sample_data/people.py HOME_FOLDER

Their passwords come from the key of that home folder: every demo has its own, and running this again prints the same.
"""

from __future__ import annotations

import argparse
import base64
import csv
from datetime import UTC, datetime
from pathlib import Path

from planner.access import Actor, Role
from planner.people.accounts import NewUser, add_user, checked_hash, find_by_email, set_password
from planner.people.fresh import new_id
from planner.people.keys import Keys, read_keys
from planner.people.passwords import check_password
from planner.repository import Store
from planner.settings import read_settings
from planner.storage import open_store

PEOPLE = Path(__file__).resolve().parent / "people.csv"
ACTOR = Actor("command:demo")


def people() -> list[NewUser]:
    with PEOPLE.open(encoding="utf-8", newline="") as file:
        return [
            NewUser(row["email"], row["name"], Role(row["role"]), row["area"], frozenset(row["reps"].split()))
            for row in csv.DictReader(file)
        ]


def demo_password(keys: Keys, email: str) -> str:
    letters = base64.b32encode(keys.sub_key(f"demo password of {email}")).decode().lower()
    return "-".join((letters[:4], letters[4:8], letters[8:12]))


def let_in(store: Store, person: NewUser, password: str, now: datetime) -> None:
    """Add the person, or give them this password again if they have another by now."""
    with store.read() as unit:
        known = find_by_email(unit, person.email)
    if known is not None and check_password(known.password_hash, password):
        return
    password_hash = checked_hash(password, person.email, person.name)
    with store.write(ACTOR) as unit:
        if known is None:
            add_user(unit, person, now, new_id(), password_hash)
        else:
            set_password(unit, known.id, password_hash)


def main(home: Path) -> None:
    settings = read_settings(home)
    keys, store = read_keys(settings.home), open_store(settings.database_url)
    print("\nLog in as")
    for person in people():
        password = demo_password(keys, person.email)
        let_in(store, person, password, datetime.now(UTC))
        print(f"  {person.email:<28} {password}   {person.name}, {person.role.replace('_', ' ')}")
    print()
    store.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    main(parser.parse_args().home)
