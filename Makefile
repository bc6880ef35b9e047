# make test    lint, types and tests        make demo   segments of the example projects, with sizes and members
# make fuzz CASES=20000                     make bench  ratios against hand-written peers
# make lock    write requirements.lock anew
PYTHON ?= python3
CASES ?= 20000
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo demo-live test lint fuzz bench lock clean

demo: $(READY)
	$(BIN)/python examples/demo.py

demo-live: $(READY)
	$(BIN)/python examples/live.py

test: lint
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

fuzz: $(READY)
	$(BIN)/python tests/fuzz.py $(CASES)

bench: $(READY)
	for each in batch sequences history predicate compile stream growing refresh; do $(BIN)/python benchmarks/$$each.py || exit 1; done

lock: $(READY)
	$(BIN)/pip-compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --strip-extras \
		--allow-unsafe --all-extras --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis

# The environment: exactly what the lock names, then this package itself, built with the locked hatchling.
$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
