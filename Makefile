# The habits of this house. `make run` shows the product, `make test` proves it.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# What only ticks raise, or the closing of a day: a replay has both, a drained log neither.
OFFLINE := V11|V13|V14|V15|V17|V33

.PHONY: run test check bench kinds screens mutants wheel lock clean

run: $(VENV)/run  ## the whole product with a simulated fleet; prints address and logins
	$(BIN)/warnloop run

test: $(VENV)/dev  ## all tests
	$(BIN)/python -m pytest -n 3 --dist worksteal

check: $(VENV)/dev  ## lint, format, types, import law
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy -p deploy.timescale
	$(BIN)/lint-imports

bench: $(VENV)/dev  ## the figures of docs/performance.md, all in one run
	$(BIN)/python -m bench.replay
	$(BIN)/python -m bench.detectors
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.deliveries
	$(BIN)/python -m bench.reports
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.alert

kinds: $(VENV)/run  ## docs/kinds.md anew, from the catalogue
	$(BIN)/warnloop kinds --page > docs/kinds.md

screens: $(VENV)/dev  ## pictures of every screen, in docs/screens
	$(BIN)/python -m tests.browser.screens

mutants: $(VENV)/dev  ## mutation testing of gate and verbs: long
	$(BIN)/python -m tests.mutation

wheel: $(VENV)/dev  ## build the wheel, install it into an empty environment, use it from an empty folder
	rm -rf dist build/empty
	$(BIN)/python -m hatchling build -t wheel
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/run.txt
	build/empty/bin/python -m pip install -q --disable-pip-version-check --no-deps dist/*.whl
	cd $$(mktemp -d) && PATH=$(CURDIR)/build/empty/bin:$$PATH && set -e \
		&& warnloop fleet --vehicles 120 --hours 24 --seed 2 --out demo \
		&& warnloop replay demo/positions.ndjson --registry demo/registry --out episodes.ndjson \
		&& warnloop migrate && warnloop import demo/registry && warnloop feed demo/positions.ndjson \
		&& warnloop detect --drain --tick-s 0 && warnloop violations > violations.ndjson \
		&& online=$$(grep -cvE '"kind": ?"($(OFFLINE))"' episodes.ndjson) \
		&& test $$online -gt 20 && test $$online = $$(wc -l < violations.ndjson)

lock: $(VENV)/dev  ## resolve the dependencies anew
	$(BIN)/uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml -o locks/run.txt
	$(BIN)/uv pip compile -q -U --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra dev -c locks/run.txt pyproject.toml -o locks/dev.txt

clean:
	rm -rf $(VENV) build dist demo .timescale

# An environment is made once for each lock; `dev` holds what `run` does and the tools.
$(VENV)/run: locks/run.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/run.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	touch $@

$(VENV)/dev: locks/dev.txt $(VENV)/run
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r locks/dev.txt
	touch $@
