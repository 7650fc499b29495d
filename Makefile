# Every way in. `make run` serves the demo; `make test` is everything a change must pass.
# Both set themselves up on a machine that has Rust >= 1.95, Node >= 20.19 and make.

SHELL         := /bin/bash
.SHELLFLAGS   := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS     += --no-print-directory

TARGET   := $(abspath $(or $(CARGO_TARGET_DIR),target))
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome) /usr/bin/chromium)
TOOLS    := $(TARGET)/tools
DENY     := $(or $(shell command -v cargo-deny),$(TOOLS)/bin/cargo-deny)
LAUNCH   := node deploy/launch.mjs
STEP     := deploy/step

.PHONY: help run stop test prepare check deny test-deploy test-pg-ways test-web web-packages test-rust build-debug test-e2e fuzz bench bench-docs test-bench test-load clean reset need-node

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: need-node ## build and serve the demo on http://127.0.0.1:8080 (TANDEM_PORT, TANDEM_DATA)
	@exec $(LAUNCH) run

stop: need-node ## stop a Postgres that a killed run left behind
	@$(LAUNCH) stop

test: prepare test-deploy test-web check test-rust build-debug test-bench test-load test-e2e ## everything, from an empty machine on
	@printf '\n== all steps passed\n'

prepare: need-node
	@$(STEP) "what the tests need" $(LAUNCH) prepare-tests

check: $(DENY) ## formatting, lints, licences, bans and sources of the Rust code
	@$(STEP) "cargo fmt" cargo fmt --all --check
	@$(STEP) "cargo clippy" cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(STEP) "cargo deny (licences, bans, sources)" $(DENY) check --hide-inclusion-graph licenses bans sources

deny: $(DENY) ## the same, and known vulnerabilities (fetches the list of them)
	@$(STEP) "cargo deny" $(DENY) check

$(DENY):
	@$(STEP) "cargo-deny, once per machine" cargo install --locked --quiet cargo-deny --version 0.20.2 --no-default-features --root $(TOOLS)

test-deploy: need-node ## the launcher's own tests
	@$(STEP) "launcher tests" node --test --test-reporter=spec deploy/tests/

test-pg-ways: need-node ## each way to get Postgres that this machine allows (installed, apt, npm)
	@$(STEP) "ways to Postgres" node deploy/tests/ways.mjs

web-packages: need-node
	@$(STEP) "web packages" npm --prefix web install --no-audit --no-fund

test-web: web-packages ## types, lints, unit tests and build of the web pages
	@$(STEP) "web types" npm --prefix web run typecheck
	@$(STEP) "web lint"  npm --prefix web run lint
	@$(STEP) "web tests" npm --prefix web test
	@$(STEP) "web build" npm --prefix web run build

test-rust: need-node ## all Rust tests, against a throwaway Postgres
	@$(STEP) "cargo test" $(LAUNCH) with-postgres --fast -- cargo test --locked --workspace --features hub_core/ts

build-debug:
	@$(STEP) "hub and load tester" cargo build -p hub -p loadtest

test-e2e: web-packages build-debug ## the pages in a real browser against a real hub (run `make test-web` first: it builds them)
	@$(STEP) "end to end" env TANDEM_HUB_BIN=$(TARGET)/debug/hub TANDEM_WEB_DIR=$(abspath web/dist) CHROMIUM=$(CHROMIUM) \
	  $(LAUNCH) with-postgres -- npm --prefix web run e2e

fuzz: ## strangers' bytes against everything that reads them (FUZZ_INPUTS=10000000, FUZZ_SEED)
	@$(STEP) "fuzz" env FUZZ_INPUTS=$(or $(FUZZ_INPUTS),1000000) cargo test --locked --release -p gateway --test fuzz -- --nocapture

bench: need-node ## measure an optimised hub, all of docs/measurements.md (EXPERIMENT, PAIRS, SMOKE=1, or BENCH_ARGS for one load)
	@$(STEP) "measurements" env PAIRS=$(PAIRS) SMOKE=$(SMOKE) $(LAUNCH) bench $(if $(BENCH_ARGS),-- $(BENCH_ARGS),$(EXPERIMENT))

bench-docs: need-node ## write the tables of docs/measurements.md from what was measured
	@$(LAUNCH) bench-docs

test-bench: build-debug ## whether measuring works, in seconds: nothing is kept
	@$(STEP) "a measurement, tried" env SMOKE=1 $(LAUNCH) bench metrics

test-load: build-debug ## every scenario of the load tester once, tiny, against a real hub
	@$(STEP) "every load scenario" node deploy/tests/scenarios.mjs $(TARGET)/debug

clean: ## remove build results; the demo's data stays
	rm -rf target web/dist web/node_modules

reset: need-node ## stop Postgres and delete the demo's data
	@$(LAUNCH) reset

need-node:
	@command -v node >/dev/null || { echo 'Node 20.19 or newer is missing: get it from https://nodejs.org'; exit 1; }
