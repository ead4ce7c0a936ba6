# The two commands: `make run` starts the proxy on config/, `make test` runs every test that needs no outside service.
# Nothing but Rust (with its linker) is needed for either.

CARGO ?= cargo
CONFIG ?= config/config.json
PYTHON ?= python3
ORACLE_VENV := target/oracle-venv
COLLECTOR_VENV := target/collector-venv
# What tests/proxies starts, each with the Debian package that has it.
PROXIES := nginx:nginx haproxy:haproxy varnishd:varnish javac:default-jdk-headless
# What checks deploy/monitoring, likewise.
MONITORING := promtool:prometheus curl:curl
MONITORING_PYTHON := target/monitoring/python
# What installs and runs Flagsmith's SDKs, likewise.
SDK_PROGRAMS := node:nodejs npm:npm chromium:chromium
SDK_PYTHON := target/sdk/python
SDK_NODE := tests/sdk/node
SDK_RUST := tests/sdk/rust
# What checks the manifests, likewise.
MANIFEST_PROGRAMS := node:nodejs npm:npm systemd-analyze:systemd
MANIFEST_PYTHON := target/manifests/python
# What has a man page of its own, and which shells complete.
COMMANDS = $$(target/debug/edge-proxy --help | sed -n '/^Commands:/,/^$$/s/^  \([a-z]*\) .*/\1/p' | grep -vx help)
SHELLS := bash elvish fish powershell zsh

# Of "program:package" pairs the packages whose program is not here: says what to do, and ends with 69.
need = @missing=$$(PATH="$$PATH:/usr/sbin:/usr/local/sbin"; for program in $(1); do \
	command -v "$${program%%:*}" >/dev/null || echo "$${program\#*:}"; done); \
	if [ -n "$$missing" ]; then \
		echo "not here; on Debian: apt-get install --no-install-recommends" $$missing >&2; \
		exit 69; \
	fi

# The volumes of `make faults`: `ordinary` are those of `make test`.
FAULTS ?= full
# How long `make soak` goes on.
SOAK_SECONDS ?= 900

.PHONY: run demo man test faults soak test-proxies test-sdk sdk-programs sdk-tools manifests manifest-programs manifest-tools monitoring-programs monitoring-tools check fmt lint docs deny rust-version oracle collector monitoring smoke bench bench-check clean help

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: ## Build and start the proxy with the demonstration environment, and print the requests that show it working
	$(CARGO) build --locked
	@sed 's/^/  /' config/try-it.txt
	@exec target/debug/edge-proxy --config $(CONFIG)

demo: $(SDK_NODE)/node_modules/.ready ## Start the proxy with a page that shows its flags live, in a browser (needs npm)
	$(CARGO) run --locked --example browser

man: ## Write man pages and the completions of every shell into target/man/ and target/completions/
	$(CARGO) build --locked
	mkdir -p target/man target/completions
	target/debug/edge-proxy man > target/man/edge-proxy.1
	for command in $(COMMANDS); do target/debug/edge-proxy man $$command > target/man/edge-proxy-$$command.1 || exit 1; done
	for shell in $(SHELLS); do target/debug/edge-proxy completions $$shell > target/completions/edge-proxy.$$shell || exit 1; done

test: ## Run every test that needs no outside service
	$(CARGO) test --locked --workspace

faults: ## Run the fault matrix with its full volumes and print its table
	FAULTS=$(FAULTS) $(CARGO) test --locked --test faults

soak: ## Mix all faults with ordinary load for SOAK_SECONDS (15 minutes by default) and print what was left of them
	SOAK_SECONDS=$(SOAK_SECONDS) $(CARGO) test --locked --test faults -- --ignored soak

test-proxies: ## Run the tests between the real nginx, HAProxy, Varnish and Java; `make test` skips those that are missing
	$(call need,$(PROXIES)) # The tests start their own: stop the services that these packages start.
	CI=true $(CARGO) test --locked --test proxies

test-sdk: sdk-tools ## Run the tests with Flagsmith's real SDKs, which it installs, and with Chromium
	$(CARGO) build --locked --manifest-path $(SDK_RUST)/Cargo.toml --target-dir target/sdk/rust
	$(CARGO) build --locked --example browser
	CI=true $(CARGO) test --locked --test sdk

# What is downloaded, apart from what is run with it: a download may be tried again.
sdk-tools: sdk-programs $(SDK_PYTHON)/.ready $(SDK_NODE)/node_modules/.ready

sdk-programs:
	$(call need,$(SDK_PROGRAMS))

$(SDK_PYTHON)/.ready: tests/sdk/python/requirements.txt
	$(PYTHON) -m venv $(SDK_PYTHON)
	$(SDK_PYTHON)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

$(SDK_NODE)/node_modules/.ready: $(SDK_NODE)/package.json $(SDK_NODE)/package-lock.json
	cd $(SDK_NODE) && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

manifests: manifest-tools ## Check the manifests in deploy/ by kustomize, helm, schemas and systemd, which it installs
	deploy/checks/run

manifest-tools: $(MANIFEST_PYTHON)/.ready deploy/checks/node_modules/.ready

manifest-programs:
	$(call need,$(MANIFEST_PROGRAMS))

$(MANIFEST_PYTHON)/.ready: deploy/checks/requirements.txt | manifest-programs
	$(PYTHON) -m venv $(MANIFEST_PYTHON)
	$(MANIFEST_PYTHON)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

deploy/checks/node_modules/.ready: deploy/checks/package.json deploy/checks/package-lock.json | manifest-programs
	cd deploy/checks && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

check: fmt lint test docs ## What a change must pass: format, lints, tests, documentation

fmt:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --check --manifest-path $(SDK_RUST)/Cargo.toml
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml

lint:
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps

deny: ## Check licences, sources and advisories of dependencies by cargo-deny, which it installs into target/
	.ci/deny

rust-version: ## Check that the Rust version which Cargo.toml states does
	.ci/rust-version

oracle: $(ORACLE_VENV)/.ready ## Install Flagsmith's Python engine, which the differential tests compare with

$(ORACLE_VENV)/.ready: engine/oracle/requirements.txt
	$(PYTHON) -m venv $(ORACLE_VENV)
	$(ORACLE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

collector: $(COLLECTOR_VENV)/.ready ## Install a real OpenTelemetry collector, which one test sends spans to

$(COLLECTOR_VENV)/.ready: tests/integration/telemetry/requirements.txt
	$(PYTHON) -m venv $(COLLECTOR_VENV)
	$(COLLECTOR_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	install -m 755 $(COLLECTOR_VENV)/lib/python3*/site-packages/rotel/rotel-agent $(COLLECTOR_VENV)/collector
	touch $@

monitoring: monitoring-tools ## Check and test the alert rules for Prometheus, and what the proxy exposes; `make test` holds the rules and the dashboard against the metrics
	$(CARGO) build --locked
	.ci/monitoring

monitoring-tools: monitoring-programs $(MONITORING_PYTHON)/.ready

monitoring-programs:
	$(call need,$(MONITORING))

$(MONITORING_PYTHON)/.ready: deploy/checks/monitoring-requirements.txt | monitoring-programs
	$(PYTHON) -m venv $(MONITORING_PYTHON)
	$(MONITORING_PYTHON)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

smoke: ## Start the proxy as a newcomer would and ask it what the README says
	.ci/smoke

bench: ## Measure the proxy beside a bare handler, and write BENCHMARKS.md (some 30 minutes on an idle machine)
	$(CARGO) build --locked --release
	$(CARGO) build --locked --release -p bench
	target/release/bench --write BENCHMARKS.md

bench-check: ## A shorter run that compares ratios with bench/limits.json
	$(CARGO) build --locked --release
	$(CARGO) build --locked --release -p bench
	target/release/bench --quick --rounds 5 --seconds 0.5 --check

clean: ## Remove everything that was built
	$(CARGO) clean
