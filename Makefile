# `make` alone explains the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-deploy lock demo up local-aws down reset status test test-fast test-core test-edges test-platform test-glue test-local test-browser test-e2e test-crashes test-thorough attacks recovery bench lint guard format check-contracts build bundle bundle-check test-astro test-cosigners test-contracts deploy smoke destroy new-dataset datasets diagrams pictures

PLATFORM := .venvs/platform/bin
GLUE := .venvs/glue/bin
LOCAL := .venvs/local/bin
STAGE ?= local
ARGS ?=
DEPLOYMENT := .venvs/aws/bin/python -m infra.deployment
REHEARSAL := PYTHONPATH=infra/local:plugins $(PLATFORM)/python -m rehearsal

# Each runtime tests what it runs; what is not named here runs on the platform's.
CORE_TESTS := tests/plugins/custody/core
REHEARSAL_TESTS := tests/infra/local/rehearsal
EDGE_TESTS := tests/plugins/custody/aws tests/plugins/custody/cli tests/plugins/custody/reading $(REHEARSAL_TESTS)
GLUE_TESTS := tests/include/glue_jobs tests/plugins/custody/spark
LOCAL_TESTS := tests/infra/local tests/infra/datasets tests/include/sql
# The end-to-end run waits the most and would end last: the others let it go first.
SECOND := nice -n 10
# Which lines of the package the tests run; `sys.monitoring` makes asking for it cheap.
COVERED = COVERAGE_CORE=sysmon COVERAGE_FILE=build/coverage/.coverage.$@ $(SECOND) $(PLATFORM)/python -m pytest --cov --cov-report=

help: ## Explain the targets
	@echo "custody: a data platform in which every byte has a chain of custody"; echo
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make the environments (every target that needs them does this by itself)
	@infra/setup

demo: setup ## Watch the whole platform work on this machine, from nothing (about 7 minutes)
	@$(REHEARSAL).demo

up: setup ## Start the local AWS and Airflow, deploy the stacks, keep earlier state
	@$(REHEARSAL).platform up

local-aws: setup ## Start the local AWS alone, deploy the stacks, keep earlier state
	@$(REHEARSAL).platform aws

down: ## Stop what `demo` or `up` started; its state stays
	@$(REHEARSAL).platform down

reset: ## Stop it and forget its state
	@$(REHEARSAL).platform reset

status: ## Show whether the local AWS and Airflow run, where, and how to log in
	@$(REHEARSAL).platform status

test: setup ## Run the tests, the end-to-end run included (about 20 minutes)
	@$(call together,test-e2e $(SUITES))
	@echo "Every test passed; what takes longer runs every night: make test-crashes test-thorough attacks bundle-check test-astro test-cosigners test-contracts"

test-fast: setup ## Run every test but the end-to-end run
	@$(call together,$(SUITES))

# Three side by side, the longest first, as each waits now and then; more only get in each other's
# way. What they start has its own ports. Each prints what it has to say when it ends.
SUITES := test-local test-glue test-platform test-edges test-browser test-core
define together
	rm -rf build/coverage && mkdir -p build/coverage; \
	$(MAKE) --no-print-directory --jobs=3 --output-sync=target $(1); \
	$(PLATFORM)/python -m coverage combine --quiet --data-file=build/coverage/.coverage build/coverage; \
	covered=$$($(PLATFORM)/python -m coverage report --data-file=build/coverage/.coverage --format=total); \
	echo "$(words $(1)) suites passed in $$((SECONDS / 60)) min $$((SECONDS % 60)) s; they run $$covered % of the lines of the package and the recorder"
endef

test-core: setup
	$(COVERED) $(CORE_TESTS)

test-edges: setup
	$(COVERED) $(EDGE_TESTS)

test-platform: setup
	$(COVERED) tests $(addprefix --ignore=,$(CORE_TESTS) $(EDGE_TESTS) $(GLUE_TESTS) $(LOCAL_TESTS) tests/browser tests/mwaa tests/astro tests/cosigners tests/contracts tests/e2e tests/recovery)

test-glue: setup
	$(SECOND) $(GLUE)/python -m pytest $(GLUE_TESTS)

test-local: setup
	$(SECOND) $(LOCAL)/python -m pytest -m "not crash" $(LOCAL_TESTS) --ignore=$(REHEARSAL_TESTS)

# Where there is none and it may, it installs the system's package.
test-browser: setup ## Look at the console in the system's Chromium, at every size, by keyboard and by axe
	@if infra/chromium >/dev/null; then $(SECOND) .venvs/browser/bin/python -m pytest --confcutdir=tests/browser tests/browser; \
	else echo "test-browser: NOT CHECKED: no Chromium is here, and none may be installed: no page of the console was looked at in a browser"; fi

test-e2e: setup
	$(PLATFORM)/python -m pytest -m "not crash" tests/e2e

test-crashes: setup ## Kill parts of the platform and of the local AWS, and run everything twice (about 10 minutes)
	$(LOCAL)/python -m pytest -m crash $(LOCAL_TESTS) --ignore=$(REHEARSAL_TESTS)
	$(PLATFORM)/python -m pytest -m crash tests/e2e

test-thorough: setup ## Run many more examples, 24,000 honest hours, and 10,000 objects of which one is bad (about 10 minutes)
	THOROUGH=yes $(PLATFORM)/python -m pytest $(CORE_TESTS) tests/plugins/custody/aws
	THOROUGH=yes $(GLUE)/python -m pytest tests/plugins/custody/spark/test_one_among_many.py

attacks: setup ## Make every attack of tests/attacks on a local AWS of its own, and follow the runbooks (about 20 minutes)
	@AIRFLOW_HOME=$(CURDIR)/build/attacks/airflow AIRFLOW__LOGGING__LOGGING_LEVEL=WARNING PYTHONPATH=infra/local:plugins:. $(PLATFORM)/python -m tests.attacks

recovery: setup ## Lose all that can be made again, on a local AWS of its own, and make it again (about 7 minutes)
	$(PLATFORM)/python -m pytest tests/recovery

bench: setup ## Measure what must be fast beside a reference; also into build/bench.jsonl (minutes)
	@mkdir -p build
	@{ for benchmark in benchmarks/*.py; do $(PLATFORM)/python "$$benchmark"; done; \
	  for benchmark in benchmarks/spark/*.py; do $(GLUE)/python "$$benchmark"; done; } | tee build/bench.jsonl

# What of the local Glue runs beside the jobs, with their packages.
ON_SPARK := infra/local/localaws/glue/spark/warm_up.py infra/local/localaws/glue/spark/workers/quick_daemon.py

lint: setup ## Check style, types, templates
	$(PLATFORM)/ruff check .
	$(PLATFORM)/ruff format --check .
	PYTHONPATH=plugins:lambda/recorder $(PLATFORM)/lint-imports --no-logo
	$(PLATFORM)/mypy --exclude "plugins/custody/spark|spark_session|sample_days|golden|infra/datasets/(json_sample|new|parquet_sample|sample|scaffold)" plugins/custody plugins/custody_console.py lambda/recorder/recorder infra/build.py infra/bundle infra/cost infra/datasets infra/deployment infra/linting/exceptions.py infra/linting/policies.py infra/local/rehearsal data tests/support
	$(GLUE)/mypy include/glue_jobs plugins/custody/spark tests/support/spark_session.py tests/support/sample_days.py $(ON_SPARK)
	$(LOCAL)/mypy --exclude "glue/spark/(warm_up|workers)" infra/local/localaws infra/datasets tests/support/golden.py
	$(PLATFORM)/zizmor --offline --quiet .github
	$(PLATFORM)/cfn-lint --include-checks I -- infra/cloudformation/*.yaml
	.venvs/lint/bin/python -W ignore -m infra.linting

# From crates.io, as its own releases are not for every machine; building it takes minutes, once.
GUARD := .venvs/guard/bin/cfn-guard

$(GUARD):
	@command -v cargo >/dev/null || { echo "guard: Rust's cargo is not installed, so cfn-guard cannot be built"; exit 1; }
	cargo install cfn-guard --version 3.2.1 --locked --quiet --root .venvs/guard

guard: setup $(GUARD) ## Check the templates with AWS's rules for NIST 800-53, CIS and PCI DSS (needs Rust)
	.venvs/lint/bin/python -m infra.linting.guard $(GUARD)

format: setup ## Format the code
	$(PLATFORM)/ruff check --fix-only .
	$(PLATFORM)/ruff format .

lock: ## Compile the lock files anew from the *.in files
	@infra/setup lock

# A contract that cannot be used would be refused when it is deployed.
check-contracts: setup ## See that the contracts of the datasets can be used
	@PYTHONPATH=plugins $(PLATFORM)/python -m infra.datasets.check

build: check-contracts ## Assemble the Lambda and the bundle in build/
	$(PLATFORM)/python infra/build.py

bundle: check-contracts ## Build what an MWAA environment runs, into build/mwaa
	$(PLATFORM)/python -m infra.bundle

# No network but this machine's own, where it lets us make one.
ISOLATED = $(shell unshare --map-root-user --net true 2>/dev/null && \
	echo 'unshare --map-root-user --net sh -c '\''ip link set lo up && exec "$$@"'\'' --')

bundle-check: bundle ## Install the bundle as MWAA does and see what its Airflow finds (2 minutes)
	@$(PLATFORM)/python tests/mwaa/make_image.py build/mwaa-image
	@$(if $(ISOLATED),,echo "bundle-check: unshare cannot cut the network off here: only pip is told to use none")
	$(ISOLATED) $(PLATFORM)/python -m pytest tests/mwaa

test-astro: setup ## Run the platform in an Airflow that Astro's own CLI starts (needs Go; about 10 minutes)
	@command -v go >/dev/null || echo "test-astro: Go is not installed, so the Astro CLI cannot be built: NOT CHECKED"
	$(PLATFORM)/python -m pytest tests/astro

test-cosigners: setup ## Have the seal cosigned by the published omniwitness (needs Go; about 5 minutes)
	@command -v go >/dev/null || echo "test-cosigners: Go is not installed, so omniwitness cannot be built: NOT CHECKED"
	$(PLATFORM)/python -m pytest tests/cosigners

test-contracts: ## Have the contracts, and tables built by them, checked by datacontract-cli (about 3 minutes)
	@infra/setup contracts
	.venvs/contracts/bin/python -m pytest --confcutdir=tests/contracts tests/contracts

# What deploys needs no JDK and no Airflow.
setup-deploy:
	@infra/setup deploy

deploy: setup-deploy ## Deploy the stacks of STAGE (local, dev, prod) with your AWS credentials; ARGS=--dry-run looks only
	$(DEPLOYMENT) deploy --stage $(STAGE) $(ARGS)

smoke: setup-deploy ## See that STAGE does its work; ARGS="--upload-as PROFILE" waits for a first VERIFIED
	$(DEPLOYMENT) smoke --stage $(STAGE) $(ARGS)

destroy: setup-deploy ## Delete the stacks of STAGE; what is evidence stays
	$(DEPLOYMENT) destroy --stage $(STAGE) $(ARGS)

new-dataset: setup ## Begin a dataset from a sample of its files: make new-dataset NAME=orders SAMPLE=orders.csv (or .jsonl, .parquet)
	@PYTHONPATH=plugins $(LOCAL)/python -m infra.datasets.new "$(NAME)" "$(SAMPLE)"

datasets: setup ## Write the pages of the datasets (docs/datasets/) anew, from their contracts
	PYTHONPATH=plugins $(PLATFORM)/python -m infra.datasets

diagrams: setup ## Draw the pictures in diagrams/ anew
	$(PLATFORM)/python -m diagrams.draw

pictures: setup ## Take the pictures of the console in diagrams/ anew, from what `make demo` left running
	.venvs/browser/bin/python -m diagrams.pictures
