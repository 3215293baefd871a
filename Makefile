# Set-up is two commands, each complete on a machine with Python 3.11+, make and apt: `make serve` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8000

.PHONY: serve test check install bench soak clean

serve: .make/serve            ## the service with the shipped model on http://127.0.0.1:8000
	$(BIN)/fenzhen serve --host $(HOST) --port $(PORT)

test: .make/dev .make/postgresql   ## everything, then all tests
	$(BIN)/pytest -q -m "not soak"

check: .make/dev .make/postgresql  ## what must be green before a commit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q -m "not soak"

soak: .make/dev .make/postgresql   ## the long forms
	$(BIN)/pytest -q -m soak

install: .make/dev            ## .venv with all extras
	$(BIN)/pip install -q -e ".[console,fast,dev]"

bench: .make/dev              ## every number of the README
	$(BIN)/python benchmarks/serving.py
	$(BIN)/python benchmarks/score_throughput.py

# Debian splits venv from python3; where it is missing, apt brings it.
.venv/bin/python:
	$(PYTHON) -m venv .venv || { rm -rf .venv; apt-get update -q && apt-get install -y -q python3-venv && $(PYTHON) -m venv .venv; }
	$(BIN)/pip install -q --upgrade pip

.make/serve: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q -e ".[batch]"
	@mkdir -p .make && touch $@

.make/dev: pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q -e ".[dev]"
	@mkdir -p .make && touch $@ .make/serve

# The store's tests run on a real PostgreSQL, started privately by the tests themselves.
.make/postgresql:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get update -q && apt-get install -y -q postgresql; }
	@mkdir -p .make && touch $@

clean:
	rm -rf .venv .make build dist
