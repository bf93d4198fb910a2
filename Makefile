# make serve, test, check, ci, compile, test-compiled, bench, conformance, clean

PYTHON ?= python3
VENV := .venv
COMPILED := build/compiled

.PHONY: serve test check ci compile test-compiled bench conformance clean

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

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/ready: pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	AMQPD_COMPILE=0 $(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[test,dev]'
	touch $@
