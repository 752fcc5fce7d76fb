# Everything that is done with this repository; `make` lists it.
#
# One profile (release) serves the binary, the tests and the benchmarks, so that wasmtime is built once.

CARGO ?= cargo
GUEST := --manifest-path guest/Cargo.toml
RUST_EXAMPLE := --manifest-path examples/rust/Cargo.toml
BENCHES := --manifest-path bench/Cargo.toml
FUZZED := --manifest-path tests/fuzz/Cargo.toml
LISTEN ?= 127.0.0.1:8080
FUZZ ?= 60
BENCH ?=
SOAK ?= 180

.DEFAULT_GOAL := help
.PHONY: help build guests examples run test test-languages judges lint format deb check-deploy dist audit bench edges pages reloads soak \
  fuzz clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Examples too: their dependencies change the features of others, and wasmtime would be built once more for the tests.
build: ## Build the binary and the embedding examples
	$(CARGO) build --release --locked --workspace --bins --examples

guests: ## Build the plugins into target/plugins
	guest/build.sh

examples: ## Build the example plugins in several languages into target/examples
	examples/build.sh

run: build guests ## Serve the demo plugins on 127.0.0.1:8080 (LISTEN=...)
	target/release/meterbox serve --config.file deploy/demo.toml --web.listen-address $(LISTEN)

test: build guests judges ## Run every test: host, guests, black-box tests with their judges
	$(CARGO) test --release --locked --workspace
	$(CARGO) test --locked $(GUEST) --workspace

test-languages: build examples ## Test the example plugins, one collector in several languages
	$(CARGO) test --release --locked -p meterbox-tests --test languages

judges: ## Fetch the judges of the tests (Prometheus, promtool, node_exporter, prometheus_client, axe-core)
	tests/judges.sh

lint: ## Check format, lints and documentation
	$(CARGO) fmt --all --check
	$(CARGO) fmt --all --check $(GUEST)
	$(CARGO) fmt --all --check $(BENCHES)
	$(CARGO) fmt --all --check $(RUST_EXAMPLE)
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --locked $(GUEST) --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --locked $(BENCHES) --target-dir target/bench -- -D warnings
	$(CARGO) clippy --locked $(RUST_EXAMPLE) --target-dir guest/target -- -D warnings
	$(CARGO) check --locked $(FUZZED) --no-default-features
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --release --locked --workspace --no-deps

format: ## Format the sources
	$(CARGO) fmt --all
	$(CARGO) fmt --all $(GUEST)
	$(CARGO) fmt --all $(BENCHES)
	$(CARGO) fmt --all $(RUST_EXAMPLE)

deb: build guests ## Make the Debian package in target/dist
	deploy/tools.sh
	rm -f target/dist/*.deb
	deploy/debian/build.sh target/dist

dist: build guests ## Make a release in target/dist: archive, Debian package, checksums
	deploy/tools.sh
	deploy/dist.sh

check-deploy: dist ## Check deploy/: install and purge the Debian package, judge the other files
	deploy/check.sh
	deploy/debian/check.sh target/dist/meterbox_*.deb

audit: ## Check licences, advisories and sources of the dependencies (needs cargo-deny)
	$(CARGO) deny --locked check
	$(CARGO) deny --locked $(GUEST) check --config deny.toml

bench: build guests ## Measure beside other libraries (BENCH=--quick, BENCH=--markdown)
	$(CARGO) bench --locked --workspace --bench increment --bench faults --bench start
	$(CARGO) run --release --locked $(BENCHES) --target-dir target/bench -- $(BENCH)

edges: build guests ## Measure what careless and hostile HTTP peers cost
	$(CARGO) bench --locked -p meterbox-tests --bench edges

pages: build guests judges ## Show the status pages to a browser and axe-core; pictures in target/pages (needs Chromium)
	METERBOX_REQUIRE_JUDGES=1 $(CARGO) test --release --locked -p meterbox-tests --test it -- pages::browser

reloads: build guests ## Reload a thousand times under scrapes and requests
	METERBOX_RELOADS=1000 $(CARGO) test --release --locked -p meterbox-tests --test it -- --nocapture reload::no_scrape

soak: build guests ## Load a hundred plugins, without and with hostile ones beside them (SOAK= seconds each)
	SOAK=$(SOAK) $(CARGO) bench --locked -p meterbox-tests --bench soak

fuzz: ## Run each fuzz target for FUZZ seconds (needs nightly and cargo-fuzz)
	for target in parse_text parse_openmetrics encode session negotiation gzip config load; do \
	  mkdir -p target/fuzz/$$target && \
	  $(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz $$target target/fuzz/$$target tests/fuzz/corpus/$$target \
	    -- -max_total_time=$(FUZZ) -dict=tests/fuzz/exposition.dict || exit 1; \
	done

clean: ## Remove what was built
	$(CARGO) clean
	$(CARGO) clean $(GUEST)
