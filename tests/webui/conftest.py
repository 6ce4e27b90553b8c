"""A browser, and a server that it may look at."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from compiled_once import compile_once
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, expect, sync_playwright
from waitress import wasyncore
from waitress.server import create_server

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

compile_once()

Serve = Callable[[Flask], str]
"""Starts an app and gives its address, without a slash at the end."""


@dataclass
class Watched:
    """A page, with all that went wrong on it and every address it asked for."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.errors.append(said.text)

    def note(self, request: Request) -> None:
        self.requests.append(request)

    def refuse(self, dialog: Dialog) -> None:
        self.errors.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    def hosts(self) -> set[str]:
        """Scheme and host of every request that left the page."""
        addresses = [request.url for request in self.requests]
        return {"/".join(url.split("/", 3)[:3]) for url in addresses if not url.startswith(("data:", "blob:"))}


def chromium_of_the_system() -> str | None:
    """None for the one that Playwright brings."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium: the system's if it has one, else the one that Playwright brings."""
    expect.set_options(timeout=20_000)  # on a busy machine
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_of_the_system(), args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens a fresh page (options as for `Browser.new_context`) whose errors and requests are written down."""
    with ExitStack() as contexts:

        def opened(**options: Any) -> Watched:
            context = browser.new_context(**options)
            contexts.callback(context.close)
            watched = Watched(context.new_page())
            watched.page.set_default_timeout(10_000)
            watched.page.on("pageerror", lambda error: watched.errors.append(f"uncaught: {error}"))
            watched.page.on("console", watched.hear)
            watched.page.on("dialog", watched.refuse)
            watched.page.on("request", watched.note)
            return watched

        yield opened


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves apps on free loopback ports until the test ends."""
    with ExitStack() as servers:
        yield lambda app: servers.enter_context(running(app))


@contextmanager
def running(app: Flask, port: int = 0) -> Iterator[str]:
    """The server that ships, with a loop that ends when told to, also while a browser keeps a connection open."""
    sockets: dict[int, Any] = {}
    server = create_server(app, map=sockets, host="127.0.0.1", port=port, threads=4)
    ended = threading.Event()

    def serve_until_ended() -> None:
        while not ended.is_set():
            wasyncore.loop(timeout=0.1, map=sockets, count=1)

    thread = threading.Thread(target=serve_until_ended)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        ended.set()
        thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)
