# The two commands are `make demo` and `make test`; each does its own set-up.
# `make help` lists the rest.

CARGO ?= cargo
DEMO_LISTEN ?= 127.0.0.1:8000
DEMO_DIR ?= demo-data
# Tests in one process mostly wait: more of them than there are cores.
WAITING ?= 8
# Whatever can be built in is tested and checked.
FEATURES ?= --features ip2tor-shop/nostr
# Architectures that packages are made for.
ARCHS ?= amd64 arm64

.PHONY: help demo quick test test-long fuzz mutants test-nodes test-litestream check bench release deb repository test-install openapi clean-demo setup-build setup-demo setup-test setup-axe setup-fuzz

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: setup-demo ## Build and start a complete shop on http://127.0.0.1:8000 (Ctrl-C ends it)
	$(CARGO) build --bin ip2tor-shop
	./target/debug/ip2tor-shop demo --listen $(DEMO_LISTEN) --data-dir $(DEMO_DIR)

test: setup-test setup-axe ## Every test there is
	RUST_TEST_THREADS=$(WAITING) $(CARGO) test --workspace $(FEATURES) --lib --bins --test it --no-fail-fast
	$(CARGO) test --workspace $(FEATURES) --test process --test tor --test nodes --bench shop --bench onion --no-fail-fast
	$(CARGO) test --workspace $(FEATURES) --doc
	$(CARGO) build $(FEATURES) --bin ip2tor-shop
	@.ci/setup fuzz
	.ci/fuzz --short target/debug/ip2tor-shop

test-long: setup-test ## What takes an hour: 20,000 interleavings, and 200 kills of the shop
	IP2TOR_MODEL_RUNS=20000 $(CARGO) test --test it model
	IP2TOR_KILL_ROUNDS=260 $(CARGO) test --test process kill

quick: setup-build ## What to run after each change: no Tor, no processes, no random sequences
	IP2TOR_DEAL_RUNS=500 RUST_TEST_THREADS=$(WAITING) $(CARGO) test --workspace $(FEATURES) --lib --test it -- --skip model::

fuzz: setup-build setup-fuzz ## Ask the API everything, as everybody, and compare with openapi.yaml
	$(CARGO) build $(FEATURES) --bin ip2tor-shop
	.ci/fuzz target/debug/ip2tor-shop

mutants: setup-build ## Change the code of CRATE (ip2tor-domain), or FILES of it, place by place: which change does no test notice?
	.ci/mutants $(or $(CRATE),ip2tor-domain) $(FILES)

test-nodes: setup-test ## Purchases with real nodes: LND_BIN and CLN_BIN name folders with their programs and btcd or bitcoind
	@CARGO="$(CARGO)" .ci/test-nodes

test-litestream: setup-test ## A second machine by Litestream: LITESTREAM_BIN names its program (0.5)
	@test -x "$(LITESTREAM_BIN)" || { echo "set LITESTREAM_BIN to the program of Litestream" >&2; exit 2; }
	LITESTREAM_BIN="$(LITESTREAM_BIN)" $(CARGO) test --test process litestream:: -- --nocapture

check: setup-build ## Format, lints, freshness of openapi.yaml, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace $(FEATURES) --all-targets -- --deny warnings
	$(CARGO) run --quiet $(FEATURES) --bin ip2tor-shop -- openapi | diff - openapi.yaml
	RUSTDOCFLAGS="--deny warnings --allow rustdoc::private_intra_doc_links" $(CARGO) doc --workspace $(FEATURES) --no-deps --document-private-items --quiet

openapi: setup-build ## Write openapi.yaml from the code
	$(CARGO) run --quiet --bin ip2tor-shop -- openapi > openapi.yaml.new
	mv openapi.yaml.new openapi.yaml

bench: setup-test ## Measure the shop and print one table
	$(CARGO) build --release --bin ip2tor-shop
	$(CARGO) bench --bench shop
	$(CARGO) bench --bench onion

release: setup-build ## Build the program for this machine
	$(CARGO) build --release --bin ip2tor-shop

deb: setup-build ## Make Debian packages for amd64 and arm64 in target/deb (ARCHS=amd64: one; MINISIGN_KEY=FILE signs)
	packaging/all.sh $(ARCHS)

repository: ## Make a signed apt repository of them in target/repository: KEY=gpg-key URL=https://where-it-will-be
	packaging/repository.sh "$(KEY)" "$(URL)"

test-install: ## Boot a Debian (as root) and install, sell, upgrade, fail, remove: PACKAGE=FILE, or this machine's of make deb
	packaging/install-test/run.sh $(or $(PACKAGE),$(lastword $(sort $(wildcard target/deb/*_$(shell dpkg --print-architecture).deb)))) $(SCENES)

# What each needs is installed first, from Debian's packages.
setup-build setup-demo setup-test setup-axe setup-fuzz: setup-%:
	@.ci/setup $*

clean-demo: ## Forget the demo's data
	rm -rf $(DEMO_DIR)
