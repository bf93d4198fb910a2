# make serve, test, check, ci, compile, test-compiled, bench, conformance, torture, soak, clean, pins, sbom

PYTHON ?= python3
VENV := .venv
COMPILED := build/compiled

.PHONY: serve test check ci compile test-compiled bench conformance conformance-proof conformance-clients torture soak clean pins sbom

serve: $(VENV)/ready
	$(VENV)/bin/amqpd

# The whole suite on the interpreted sources of this checkout.
test: $(VENV)/ready
	AMQPD_EXPECT=interpreted $(VENV)/bin/pytest -n 2

# Lint, types, layers.
check: $(VENV)/ready
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/pytest -q tests/test_architecture.py

ci:
	.ci/run

# amqpd as its users install it: compiled, in an environment of its own.
compile:
	rm -rf build/lib* build/bdist* build/temp*
	$(PYTHON) -m venv $(COMPILED)
	AMQPD_COMPILE=1 $(COMPILED)/bin/pip install --quiet --disable-pip-version-check '.[test]'

# The whole suite on the compiled modules.
test-compiled: compile
	AMQPD_EXPECT=compiled $(COMPILED)/bin/pytest -n 2

# Measures and writes docs/performance.md, e.g. make bench BENCH="--quick --rabbitmq 127.0.0.1:5672:$$(pgrep -o beam.smp)"
bench: compile $(VENV)/ready
	PYTHONPATH=tests $(VENV)/bin/python tests/benchmarks/bench.py $(BENCH)

# Runs the conformance suite against an amqpd of its own and writes docs/conformance.md.
conformance: $(VENV)/ready
	PYTHONPATH=tests $(VENV)/bin/python tests/helpers/conformance_run.py

# Makes that amqpd lie to every case of the suite, lists those that do not notice, and writes docs/conformance.md.
conformance-proof: $(VENV)/ready
	PYTHONPATH=tests $(VENV)/bin/python tests/helpers/conformance_run.py prove

# Runs the programs in client libraries of many languages, which fetch what they need on first use.
conformance-clients: $(VENV)/ready
	PYTHONPATH=tests $(VENV)/bin/python tests/helpers/conformance_run.py clients

# amqpd and what it needs, nothing else, in an environment without pip.
build/sbom/installed: pyproject.toml setup.py
	rm -rf build/sbom build/lib* build/bdist*
	$(PYTHON) -m venv build/sbom/tools
	build/sbom/tools/bin/pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8'
	$(PYTHON) -m venv --without-pip $@
	AMQPD_COMPILE=0 build/sbom/tools/bin/pip --python $@/bin/python install --quiet --disable-pip-version-check $(PINS) .

# Writes build/sbom.json (CycloneDX).
sbom: PINS := --constraint constraints.txt
sbom: build/sbom/installed
	build/sbom/tools/bin/cyclonedx-py environment $</bin/python --pyproject pyproject.toml --mc-type application \
		--output-reproducible --output-file build/sbom.json

# Writes the newest versions that fit into constraints.txt.
pins:
	rm -rf build/sbom
	$(MAKE) build/sbom/installed
	sed --in-place '/^[^#]/d' constraints.txt
	build/sbom/tools/bin/pip --python build/sbom/installed/bin/python freeze --exclude amqpd >> constraints.txt

# Breaks brokers for about an hour, e.g. make torture TORTURE="--kills 500 --seed 7"; docs/reliability.md says what for.
torture: $(VENV)/ready
	PYTHONPATH=tests $(VENV)/bin/python -m torture $(TORTURE)

# Loads a compiled broker with a bit of everything and fails if anything grows, e.g. make soak SOAK="--minutes 75"
soak: compile
	PYTHONPATH=tests $(COMPILED)/bin/python -P -m torture.soak $(SOAK)

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/ready: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	AMQPD_COMPILE=0 $(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	touch $@
