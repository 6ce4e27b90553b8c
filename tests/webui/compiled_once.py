"""Apps of one process share what is compiled alike for each: templates, and the functions that build addresses.

Nearly every test makes an app, and compiling is most of what that costs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from types import CodeType
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Kept in memory by what is in them, so that a template that a test changes is compiled anew."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.code[bucket.key, bucket.checksum] = bucket.code


class SharedRule(Rule):
    """A rule whose builders are those of an equal rule, which find the rule's own converters in the rule."""

    builders: dict[Hashable, Callable[..., tuple[str, str]]] = {}  # noqa: RUF012

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        given: tuple[Any, ...] = tuple((self.defaults or {}).items())
        key = (self.rule, tuple(self._trace), given, append_unknown)
        if key not in self.builders:
            self.builders[key] = super()._compile_builder(append_unknown)
        return self.builders[key]


def compile_once() -> None:
    """From now on, for every app of this process."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": Templates()}
    Flask.url_rule_class = SharedRule
