# The two commands that matter are `make run` and `make test`. There is one build configuration, debug, for both: a
# first build takes minutes, and nobody should wait for it twice.

PORT ?= 8000
SWIFT_SOURCES := Sources Tests Migrations Plugins Package.swift Benchmarks/Package.swift Benchmarks/Sources Benchmarks/Benchmarks

.DEFAULT_GOAL := help
.PHONY: help run build test test-swift test-clients test-interop test-security test-engines chaos soak fuzz bench bench-http bench-growth bench-micro fmt lint

help: ## Print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

run: ## Build and serve on SQLite at 127.0.0.1:8000 (another port: make run PORT=8001)
	@Scripts/install-packages build
	@echo 'Building. The first time this takes minutes, later seconds.'
	@swift build --product mcp-registry
	@exec .build/debug/mcp-registry serve --dev --port '$(PORT)'

build: ## Build everything, tests included
	@Scripts/install-packages build
	swift build --build-tests

test: ## Run all tests, on SQLite and on a throw-away MariaDB
	@Scripts/install-packages test
	@echo 'Building. The first time this takes minutes, later seconds.'
	@swift build --build-tests
	@Scripts/mariadb run -- Scripts/test swift clients

test-swift: ## Run the Swift tests only
	@Scripts/install-packages test
	@swift build --build-tests
	@Scripts/mariadb run -- Scripts/test swift

test-clients: ## Run the Python client tests only
	@Scripts/install-packages test
	@swift build --product mcp-registry
	@Scripts/mariadb run -- Scripts/test clients

test-interop: ## Run the interop suite with every supported version of the MCP SDKs
	@Scripts/install-packages test
	@swift build --product mcp-registry
	@Scripts/test interop

test-security: ## Run the long proofs about security: schemathesis, TLS, keys rotated under load
	@Scripts/install-packages test
	@swift build --product mcp-registry
	@Scripts/mariadb run -- Scripts/test security

test-engines: ## Run the tests of driver, migrator and registry on Galera and MySQL too
	@Scripts/install-packages engines
	@echo 'Building. The first time this takes minutes, later seconds.'
	@swift build --build-tests
	@Scripts/mariadb run -- Scripts/test engines

# What is wanted of it: make chaos ENGINE=galera FAULTS=node-kill-writer,all-nodes SEED=7 SECONDS=30; the default is everything.
# Engines: mariadb, galera, mysql, group-replication, sqlite (not for soak).
chaos: ## Kill, stop and cut off what serves under load, and prove that nothing was lost, done twice or stale
	@Scripts/install-packages cluster
	@swift build --product mcp-registry
	@"$$(Scripts/client-environment chaos)" Tests/Clients/chaos/chaos.py --seed '$(or $(SEED),1)' --seconds '$(or $(SECONDS),15)' \
		$(if $(ENGINE),--engines '$(ENGINE)') $(if $(FAULTS),--faults '$(FAULTS)')

soak: ## Serve a constant load for 30 minutes (make soak MINUTES=5), and judge whether memory and threads stay flat
	@Scripts/install-packages cluster
	@swift build --product mcp-registry
	@"$$(Scripts/client-environment chaos)" Tests/Clients/chaos/soak.py --minutes '$(or $(MINUTES),30)' --seed '$(or $(SEED),1)' \
		--engine '$(or $(ENGINE),mariadb)'

fuzz: ## Send 10^6 mutated requests to /mcp, for 20 minutes at most
	@Scripts/install-packages test
	@swift build --product mcp-registry
	@"$$(Scripts/client-environment wire)" Tests/Clients/fuzz/fuzz.py --requests 1000000 --seconds 1200

bench: bench-http bench-growth bench-micro ## Measure the server against its ceilings, and how it grows; Benchmarks/README.md

# As the Dockerfile builds it. Both programs from one package, so that nothing is built twice; but for the small benchmarks, since
# `swift package` builds without --static-swift-stdlib.
BENCH_BUILD = swift build -c release --package-path Benchmarks --static-swift-stdlib
BENCH = "$$(Scripts/client-environment bench)" Benchmarks/bench.py \
	--seconds '$(or $(BENCH_SECONDS),4)' --rounds '$(or $(ROUNDS),3)' $(if $(CONNECTIONS),--connections '$(CONNECTIONS)') $(if $(STRICT),--strict)

# What is wanted of it: make bench-http PATHS=token,list-services CONNECTIONS=32 BENCH_SECONDS=10 ROUNDS=5 SCALE=10 STRICT=1
bench-http: bench-programs ## Measure requests only, beside C, Hummingbird and nginx
	@$(BENCH) --scale '$(or $(SCALE),1)' $(if $(PATHS),--paths '$(PATHS)')

bench-growth: bench-programs ## Measure larger and larger data sets, idle connections and overload only
	@$(BENCH) --growth $(if $(LARGEST),--largest '$(LARGEST)')

bench-micro: ## Measure single steps of a request only
	@Scripts/install-packages bench
	@Scripts/mariadb run -- swift package --package-path Benchmarks --scratch-path Benchmarks/.build/micro \
		--allow-writing-to-package-directory benchmark

# MCP_REGISTRY_BINARY and MCP_REGISTRY_CEILING name other programs, which are then not built.
.PHONY: bench-programs
bench-programs:
	@Scripts/install-packages bench
	@$(if $(MCP_REGISTRY_BINARY),,echo 'Building for release. The first time this takes many minutes.')
	@$(if $(MCP_REGISTRY_BINARY),,$(BENCH_BUILD) --product mcp-registry)
	@$(if $(MCP_REGISTRY_CEILING),,$(BENCH_BUILD) --product mcp-registry-ceiling)

fmt: ## Format the Swift sources in place
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

lint: ## Check the format and the style of the Swift sources
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
