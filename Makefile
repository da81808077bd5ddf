# Smeshery. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

BUILD   := $(CURDIR)/.build
BIN     := $(CURDIR)/bin
GO      ?= go
GOFLAGS ?= -buildvcs=false
export GOFLAGS
export GOTOOLCHAIN := local

# Versions of tools, pinned in this one place.
GOLANGCI_VERSION := v2.15.0

# How long each fuzz target runs under `make fuzz`.
FUZZTIME ?= 60s
# What `make replay` replays.
RECORDING ?= testdata/recordings/fastnet-hare3-atx1
# More flags for `make run` and `make run-split`, such as RUNFLAGS='--identities 100'.
RUNFLAGS  ?=

.PHONY: help setup build run run-split replay test check vectors fuzz lint fmt bench generate verify clean

help: ## show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what is missing: Debian packages and Go modules
	@scripts/setup

build: setup ## build bin/smeshery
	@mkdir -p $(BIN)
	$(GO) build -trimpath -o $(BIN)/smeshery ./cmd/smeshery

run: build ## run a whole network in one process; again to go on
	@$(BIN)/smeshery standalone --data-dir $(BUILD)/run $(RUNFLAGS)

run-split: build ## run it as one process a service
	@$(BIN)/smeshery run-split --data-dir $(BUILD)/run-split $(RUNFLAGS)

replay: build ## replay a recorded network through the node, with its own Postgres
	$(BIN)/smeshery replay --data-dir $(BUILD)/replay $(RECORDING)

test: setup ## run all tests
	$(GO) test -timeout 20m ./...
	cd test && $(GO) test -timeout 40m ./...

check: fmt lint test ## what a commit must pass

vectors: setup ## run every vector file, a line each
	@$(GO) run ./internal/vectors/report

fuzz: setup ## run every fuzz target for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

lint: ## vet, the architecture's rules, golangci-lint
	$(GO) vet ./... ./test/...
	$(GO) test ./internal/lint
	@scripts/golangci $(GOLANGCI_VERSION)

fmt: ## format the sources
	@gofmt -l -w $$(git ls-files -co --exclude-standard '*.go')

bench: setup ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

generate: ## rewrite generated files
	$(GO) generate ./...

verify: generate ## fail if generated files are stale
	@git diff --exit-code

clean: ## remove what was built and run
	rm -rf $(BIN) $(BUILD)
