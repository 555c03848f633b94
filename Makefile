# Every target sets up the environment first when it is missing or stale.
SPEC ?= default
MODEL ?= latest
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SWEEP_OPTIONS := $(if $(NAME),--name "$(NAME)") $(if $(DATA),--data "$(DATA)") $(if $(TRIALS),--trials $(TRIALS))
MINIMUM := .venv-minimum
ROW_OPTIONS := $(if $(NAME),--sweep "$(NAME)")
SOURCES := antsbees results sweeps tests benchmarks examples

CHECK_PYTHON := test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "error: antsbees needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1); name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }

.DEFAULT_GOAL := help
.PHONY: help setup sweep report best leaderboard retrain test-model predict test test-unit test-whole test-minimum coverage lint docs format bench bench-answer clean

help: ## list the targets
	@echo "Targets:"
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'
	@echo "Variables: SPEC=default|quick|tutorial|file.yaml  NAME=sweep  DATA=folder|zip|synthetic|auto  TRIALS=n"
	@echo "           IMAGES=files or folders and MODEL=name, for predict and test-model  ENSEMBLE=members, for retrain"

$(STAMP): pyproject.toml constraints.txt
	@$(CHECK_PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: $(STAMP) ## install into .venv what is missing

sweep: $(STAMP) ## run a sweep and show the winner (SPEC, NAME, DATA, TRIALS)
	@$(BIN)/antsbees sweep "$(SPEC)" $(SWEEP_OPTIONS)

report: $(STAMP) ## write what came out as a page to look at (NAME, DATA)
	@$(BIN)/antsbees report $(ROW_OPTIONS) $(if $(DATA),--data "$(DATA)")

best: $(STAMP) ## show the best configuration (NAME)
	@$(BIN)/antsbees best $(ROW_OPTIONS)

leaderboard: $(STAMP) ## list the trials, best first (NAME)
	@$(BIN)/antsbees leaderboard $(ROW_OPTIONS)

retrain: $(STAMP) ## train the winner again and keep it as a model (NAME, DATA, ENSEMBLE)
	@$(BIN)/antsbees retrain $(ROW_OPTIONS) $(if $(DATA),--data "$(DATA)") $(if $(ENSEMBLE),--ensemble $(ENSEMBLE))

test-model: $(STAMP) ## judge a model by the images of test/<class>/ (MODEL, DATA)
	@$(BIN)/antsbees test "$(MODEL)" $(if $(DATA),--data "$(DATA)")

predict: $(STAMP) ## tell the class of images (IMAGES, MODEL)
	@$(if $(IMAGES),,$(error IMAGES= is missing: make predict IMAGES="photo.jpg folder"))
	@$(BIN)/antsbees predict "$(MODEL)" $(IMAGES)

test: test-unit test-whole ## run all tests

test-unit: $(STAMP) ## run the tests of one process, without Ray, in under a minute
	@$(BIN)/python -m pytest -m "not whole" -n 2 --dist loadfile

test-whole: $(STAMP) ## run the tests of the whole path and of several processes
	@$(BIN)/python -m pytest -m whole -n 2 --dist loadfile

$(MINIMUM)/.installed: pyproject.toml constraints-minimum.txt
	@$(CHECK_PYTHON)
	@test -x $(MINIMUM)/bin/python || $(PYTHON) -m venv $(MINIMUM)
	$(MINIMUM)/bin/pip install --quiet --disable-pip-version-check -c constraints-minimum.txt -e '.[dev]'
	@touch $@

test-minimum: $(MINIMUM)/.installed ## run test-unit on the oldest versions that pyproject.toml allows
	@$(MINIMUM)/bin/python -m pytest -m "not whole" -n 2 --dist loadfile -p no:warnings

coverage: $(STAMP) ## run test-unit, and fail where it covers less than pyproject.toml says
	@$(BIN)/python -m pytest -m "not whole" -n 2 --dist loadfile --cov --cov-report=term

lint: $(STAMP) ## check format, style and types
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy

format: $(STAMP) ## format the sources
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix $(SOURCES)

docs: $(STAMP) ## write the pages and the schema that are made from the code
	@$(BIN)/antsbees schema > schema.tmp && mv schema.tmp sweeps/configs/spec.schema.json
	@$(BIN)/python -c 'from sweeps.spec.page import page; print(page(), end="")' > page.tmp && mv page.tmp docs/spec.md
	@$(BIN)/python -c 'from results.page import page; print(page(), end="")' > page.tmp && mv page.tmp docs/columns.md

bench: $(STAMP) ## measure what benchmarks/README.md claims (DATA)
	@$(BIN)/python -m benchmarks $(if $(DATA),--data "$(DATA)")

bench-answer: $(STAMP) ## measure the answer on unseen images (DATA; an hour for each few splits)
	@$(BIN)/python -m benchmarks.studies.answer $(if $(DATA),--data "$(DATA)" --sets photographs)

clean: ## delete what was installed and built; runs/ stays
	rm -rf $(VENV) $(MINIMUM) build *.egg-info .coverage .pytest_cache .mypy_cache .ruff_cache
	find antsbees results sweeps tests benchmarks -name __pycache__ -type d -exec rm -rf {} +
