PYTHON ?= python3
VENV := .venv
# small matrices: several BLAS threads only wait for each other
export OPENBLAS_NUM_THREADS := 1
BIN := $(VENV)/bin

.PHONY: demo test check gradients notebooks docs wheel oldest newest benchmarks campaign fuzz mutation constraints clean

# The versions of constraints.txt, or the newest where an index has these no longer.
NEWEST := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PIP := pinned() { $(NEWEST) --constraint constraints.txt "$$@" || $(NEWEST) "$$@"; }; pinned

# The environment: made once, again when one of these files changes; with all that tests need the
# smaller one is there, too.
$(VENV)/.base: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable ".[test,notebook,qutip,cluster]"
	touch $(VENV)/.base $@

# Derive the paper at orders 2 and 4, show the ten terms and the closed form, evaluate and verify.
demo: $(VENV)/.base
	$(BIN)/pertsym list
	$(BIN)/pertsym derive laird_budimir_skinner_1991 --order 2
	$(BIN)/pertsym derive laird_budimir_skinner_1991 --order 4 --step wick
	$(BIN)/pertsym derive laird_budimir_skinner_1991 --order 4 --step spectral
	$(BIN)/pertsym derive laird_budimir_skinner_1991 --order 4 --step frequency-shift
	$(BIN)/pertsym rates examples/super_ohmic.toml --order 4
	$(BIN)/pertsym verify laird_budimir_skinner_1991 --digits 15

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist worksteal

# What continuous integration adds to the tests.
check: $(VENV)/.ready
	$(PIP) --editable ".[test,notebook,qutip,cluster,dev]"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONHASHSEED=2 $(BIN)/pertsym regenerate --check

# The exports for JAX, run where the site is built: the environment of the tests has no jax.
gradients: build/docs-venv/.ready
	build/docs-venv/bin/python -m pip install --quiet --disable-pip-version-check \
	    --editable ".[docs,test]"
	build/docs-venv/bin/python -m pytest -n auto --dist worksteal tests/test_export_jax.py

# The lessons of the site, executed by its build, as notebooks.
notebooks: docs
	build/docs-venv/bin/python docs/notebooks.py build/docs build/notebooks

# The wheel in a clean environment: self-test, and a session from model file to picture.
wheel:
	PYTHON=$(PYTHON) .ci/wheel

# The oldest versions that pyproject.toml allows: the wheel, and the tests of each stage.
OLDEST_TESTS := expansion reduction distributions_rules diagrams language model_symbols baths rates \
    generators dynamics cli export pictures
oldest:
	PYTHON=$(PYTHON) VERSIONS=oldest .ci/wheel
	rm -rf build/oldest
	$(PYTHON) -m venv build/oldest
	build/oldest/bin/python -m pip install --quiet --disable-pip-version-check uv
	build/oldest/bin/uv pip install --quiet --python build/oldest/bin/python \
	    --resolution lowest-direct --editable ".[plot]"
	build/oldest/bin/uv pip install --quiet --python build/oldest/bin/python \
	    pytest pytest-xdist hypothesis
	build/oldest/bin/python -m pytest -n auto --dist worksteal \
	    $(OLDEST_TESTS:%=tests/test_%.py)

# The newest versions of everything.
newest:
	rm -rf build/newest
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --disable-pip-version-check \
	    --editable ".[test,notebook,qutip,cluster]"
	build/newest/bin/python -m pertsym.selftest
	build/newest/bin/python -m pytest -n auto --dist worksteal

# The site, executed, warnings as errors, in an environment of its own; then links and formulas.
build/docs-venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv build/docs-venv
	build/docs-venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[docs]"
	touch $@

docs: build/docs-venv/.ready
	build/docs-venv/bin/python -m sphinx --fail-on-warning --keep-going --quiet docs build/docs
	build/docs-venv/bin/python docs/check.py build/docs

benchmarks: $(VENV)/.ready
	$(BIN)/python -m benchmarks

# 20,000 random sets of parameters against enclosures; goes on where it was stopped.
campaign: $(VENV)/.ready
	$(BIN)/python -m benchmarks.campaign --sets 20000 --seed 1 --processes $$(nproc)

# 50,000 hostile requests to the commands; goes on where it was stopped.
fuzz: $(VENV)/.ready
	$(BIN)/python -m benchmarks.fuzz --cases 50000 --seed 1 --processes $$(nproc)

# Mutants of every numerical module, a seeded sample; goes on where it was stopped.
mutation: $(VENV)/.ready
	$(BIN)/python -m tests.mutation

# Newest versions of everything in an environment of their own; then run .ci/run with them.
constraints:
	rm -rf build/newest
	$(PYTHON) -m venv build/newest
	build/newest/bin/python -m pip install --quiet --disable-pip-version-check \
	    ".[test,notebook,qutip,cluster,dev]"
	build/newest/bin/python -m pip freeze --exclude pertsym > build/newest.txt
	{ head -n 2 constraints.txt; cat build/newest.txt; } > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean:
	rm -rf $(VENV) build mutants .pytest_cache .mypy_cache .ruff_cache
