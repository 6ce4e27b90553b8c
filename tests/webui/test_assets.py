"""How static files are addressed and served."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webui.assets import STATIC, asset_url, assets
from webui.errors import AssetError


@pytest.fixture
def client() -> FlaskClient:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(assets)
    return app.test_client()


def test_an_address_names_the_content_and_may_be_kept_for_ever(client: FlaskClient) -> None:
    reply = client.get(asset_url("map.js"))
    assert reply.data == (STATIC / "map.js").read_bytes()
    assert reply.mimetype == "text/javascript"
    assert "immutable" in reply.headers["Cache-Control"]


def test_an_old_address_is_answered_but_not_kept(client: FlaskClient) -> None:
    assert client.get("/static/map.js?v=000000000000").headers["Cache-Control"] == "no-cache"


def test_a_browser_that_takes_gzip_gets_less_than_half(client: FlaskClient) -> None:
    url = asset_url("vendor/leaflet/leaflet.js")
    packed = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == client.get(url).data
    assert len(packed.data) < len(client.get(url).data) / 2


def test_what_the_browser_has_already_is_not_sent_again(client: FlaskClient) -> None:
    first = client.get(asset_url("app.css"))
    again = client.get(asset_url("app.css"), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["../assets.py", "..%2fassets.py", "none.js", "vendor", "", "a%00b", "/etc/passwd"])
def test_nothing_outside_the_static_folder_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code in (308, 404)


def test_a_missing_library_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(AssetError, match="install the package again"):
        asset_url("vendor/none.js")


def test_style_sheets_and_scripts_of_our_own_name_no_other_host() -> None:
    ours = [file for kind in ("js", "css") for file in STATIC.rglob(f"*.{kind}") if "vendor" not in file.parts]
    assert ours
    for file in ours:
        words = Path(file).read_text("utf-8").split('"')
        assert {word for word in words if re.match(r"(https?:|//\S)", word)} <= {
            "https://www.openstreetmap.org/copyright",
            "https://leafletjs.com",
            "http://www.w3.org/2000/svg",
            "https:",  # a protocol that is asked about
        }
