# Every target sets up what it needs: a fresh clone, Python 3.11 and pip are enough.
PYTHON ?= python3
VENV := .venv
# Where torch and torchvision come from, and nothing else: make setup PYTORCH_INDEX_URL=..., the CPU index that
# PyTorch's install page gives, saves 4 GB of CUDA. Empty takes them from where everything comes from.
PYTORCH_INDEX_URL ?=
# Test files run in as many processes. Each needs about 2 GB.
WORKERS ?= 2
PYTEST := $(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile
READY := $(VENV)/.installed

.PHONY: help setup demo studio test test-browser test-gpu test-fast test-attack coverage check lint format docs wheel release clean

help: ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
ifneq ($(strip $(PYTORCH_INDEX_URL)),)
	$(VENV)/bin/python -m pip install --disable-pip-version-check --no-deps --index-url '$(PYTORCH_INDEX_URL)' -c constraints.txt torch torchvision
endif
	$(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[test,docs]'
	touch $@

setup: $(READY) ## the virtual environment; Label Studio's own is made by what needs it first

demo: setup ## the main job, end to end, in a real Label Studio; results under demo/
	$(VENV)/bin/python -m tests.live.support demo

studio: setup ## the same up to the predictions, or IMAGES=folder EXPRESSIONS=file of yours; keeps both running
	$(VENV)/bin/python -m tests.live.support studio $(if $(IMAGES),--images '$(IMAGES)') $(if $(EXPRESSIONS),--expressions '$(EXPRESSIONS)')

test: setup ## all tests, the live ones with a real Label Studio included; those in a browser are apart
	$(PYTEST) -m 'not browser'

test-browser: setup ## the tests in a headless Chromium (Debian: apt install chromium chromium-driver)
	$(VENV)/bin/python -m pytest -m browser

test-gpu: setup ## what a GPU computes beside what the CPU computes; needs one
	$(VENV)/bin/python -m pytest -m gpu

test-fast: $(READY) ## the tests that start neither Label Studio nor a program of their own
	$(PYTEST) -m 'not live and not browser and not program and not wheel and not attack'

test-attack: $(READY) ## real servers under half-open connections, databases away, full disks, odd clocks, kills
	$(VENV)/bin/python -m pytest -m attack

coverage: setup ## all tests of make test, with the share of lines and branches that they run
	$(PYTEST) -m 'not browser' --cov

lint: $(READY) ## ruff, mypy --strict on backend, the layers
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

check: lint test ## everything that must pass before a commit lands

format: $(READY) ## let ruff repair what it can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(READY) ## the documentation as a site under site/; writes the generated pages first
	$(VENV)/bin/python docs/generate.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

wheel: $(READY) ## the wheel under dist/, from the source alone, without a network
	$(VENV)/bin/python -m scripts.build_wheel dist

release: setup ## check all that a release needs, build it, and say what to do next; tags and pushes nothing
	$(VENV)/bin/python -m scripts.release

clean: ## remove environments, caches and results
	rm -rf $(VENV) .venv-label-studio .cache demo studio build dist site .coverage *.egg-info
