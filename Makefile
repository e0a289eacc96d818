# `make run` serves on the embedded default; `make test` installs what the tests need and passes them.
.PHONY: run test lint unit examples simulate faults bench conformance schemathesis alerts fuzz schemas check help

CARGO ?= cargo
VENV := .venv
EXAMPLES_VENV := target/examples/venv
SMTP_VENV := target/smtp/venv
CONFORMANCE := ../shared/conformance
REQUIREMENTS := tests/clients/requirements.txt $(wildcard $(CONFORMANCE)/requirements.txt)
NODE_MODULES := target/clients/node_modules
OIDC_MODULES := target/oidc/node_modules
PROMTOOL := target/prometheus/usr/bin/promtool
FUZZ_SECONDS ?= 60
SEEDS ?= 50

help:            ## list these targets
	@grep -E '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run:             ## serve the sample data on http://127.0.0.1:8080
	$(CARGO) run --release -- serve --dev

test: lint unit  ## everything CI runs: format, lints, all tests

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

unit: deploy/test-requirements.stamp examples $(SMTP_VENV)/stamp $(OIDC_MODULES)/stamp
	$(CARGO) build -p dossier-api --locked
	$(CARGO) test --workspace --exclude dossier-simulation --locked
	$(CARGO) test -p dossier-simulation --locked

simulate:        ## run SEEDS (50) seeds of the simulation, as many at once as there are cores
	DOSSIER_SIMULATION_SEEDS=$(SEEDS) $(CARGO) test -p dossier-simulation --locked -- --nocapture every_seed

deploy/test-requirements.stamp: deploy/install-test-requirements
	deploy/install-test-requirements
	@touch $@

examples: $(EXAMPLES_VENV)/stamp

$(EXAMPLES_VENV)/stamp: deploy/examples/requirements.txt deploy/test-requirements.stamp
	python3 -m venv $(EXAMPLES_VENV)
	$(EXAMPLES_VENV)/bin/pip install -q -r $<
	@touch $@

# The mail server that the tests of mails start.
$(SMTP_VENV)/stamp: tests/smtp/requirements.txt deploy/test-requirements.stamp
	python3 -m venv $(SMTP_VENV)
	$(SMTP_VENV)/bin/pip install -q -r $<
	@touch $@

faults:          ## each fault several times, with long standstills: DOSSIER_FAULT_ROUNDS (5), DOSSIER_FAULT_SECONDS (10)
	$(CARGO) build -p dossier-api --locked
	DOSSIER_FAULT_ROUNDS=$${DOSSIER_FAULT_ROUNDS:-5} DOSSIER_FAULT_SECONDS=$${DOSSIER_FAULT_SECONDS:-10} \
		$(CARGO) test --locked -p dossier-tests --test faults -- --nocapture

schemas:         ## write the generated contracts (schemas/): event schemas, OpenAPI, authorization table
	$(CARGO) run -q -- schemas --out schemas

conformance: deploy/test-requirements.stamp $(VENV)/stamp $(NODE_MODULES)/stamp  ## drive private servers, on either profile, with the official Python and Node clients
	$(CARGO) build --locked -p dossier-api -p dossier-tests --bins
	PROFILE=embedded deploy/conformance $(VENV) $(NODE_MODULES) $(CONFORMANCE)
	PROFILE=fleet deploy/conformance $(VENV) $(NODE_MODULES) $(CONFORMANCE)

schemathesis: $(VENV)/stamp  ## hold a private server's answers against its own description
	$(CARGO) build --locked
	deploy/private-server $(VENV)/bin/python tests/clients/described_answers.py

alerts: $(PROMTOOL)  ## try the alerts on made-up series
	$(PROMTOOL) check rules deploy/prometheus/alerts.yaml
	$(PROMTOOL) test rules deploy/prometheus/alerts.test.yaml

# Debian's, taken out of its package: to install that would start a server.
$(PROMTOOL):
	mkdir -p target/prometheus
	cd target/prometheus && apt-get download -q prometheus && dpkg -x prometheus_*.deb .

$(VENV)/stamp: $(REQUIREMENTS)
	deploy/install-test-requirements clients
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q $(^:%=-r %)
	@touch $@

$(NODE_MODULES)/stamp: tests/clients/package-lock.json
	deploy/install-test-requirements clients
	mkdir -p $(NODE_MODULES)/..
	cp tests/clients/package.json tests/clients/package-lock.json $(NODE_MODULES)/..
	cd $(NODE_MODULES)/.. && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The OpenID Connect provider and the browser that the tests of sign-in start.
$(OIDC_MODULES)/stamp: tests/oidc/package-lock.json
	deploy/install-test-requirements sign-in
	mkdir -p $(OIDC_MODULES)/..
	cp tests/oidc/package.json tests/oidc/package-lock.json tests/oidc/.npmrc $(OIDC_MODULES)/..
	cd $(OIDC_MODULES)/.. && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

fuzz:            ## feed each reader of foreign bytes with arbitrary ones, FUZZ_SECONDS (60) long
	$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-fuzz
	fuzz/run $(FUZZ_SECONDS)

bench:           ## rates beside the raw limits of the same run
	$(CARGO) build --release -q
	$(CARGO) bench -q -p dossier-tests --bench bench

check: test      ## test, and what takes longer: dependencies, alerts, conformance, schemathesis, fuzz
	$(CARGO) deny --version >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check licenses bans sources
	$(MAKE) alerts
	$(MAKE) conformance
	$(MAKE) schemathesis
	$(MAKE) fuzz
