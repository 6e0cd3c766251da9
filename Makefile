# Everything a developer does with Dunlin, by name. `make help` lists it.

SWIFT ?= swift
# Measured: exclusivity checks cost a third of the user instructions on the data path, and the hot path crosses modules.
RELEASE_FLAGS = -c release -Xswiftc -enforce-exclusivity=unchecked -Xswiftc -cross-module-optimization
BROKER = .build/release/dunlin

# Options of `dunlin serve` for `make run`, for example ARGS="--listen 0.0.0.0:1883 --allow-anonymous".
ARGS ?=
# Where `make run` keeps what has to outlive the broker.
DATA ?= dunlin-data
# The load generator's source.
LOADGEN ?= ../shared/loadgen
# For bench-peers: cases of `run-suite --list` separated by commas, seconds a measurement, repetitions.
CASES ?= idle,connect,q0-pair,q0-single,q0-fanin,q0-fanout100,q0-fanout1000,q1-pair,q1-fanout100,q1-shared,q2-pair,lat
DURATION ?= 3
REPEAT ?= 3
# More options for bench-durable and bench-store, for example DURABLE="--cases online --alone", STORE="--durability os".
DURABLE ?=
STORE ?=
# And for bench-flock, for example FLOCK="--cases takeover,death".
FLOCK ?=
# The suites of the pure half, which run twice: with and without the random seed of Swift's hashing.
PURE_SUITES = NATSProtocolTests|MQTTModelTests|MQTTCodecTests|TopicIndexTests|MQTTSessionTests|AccessControlTests|BackboneTests|FlockTests|BrokerCoreTests
# Suites that talk to servers over sockets. They wait for answers, so they do not share the machine with the suites that
# only compute: Swift Testing starts as many tests at once as there are, and a simulation leaves the others no thread.
SERVER_SUITES = AccessProvidersTests|BackboneNATSTests|BrokerTransportTests|CommandLineTests|ConformanceTests|InteroperabilityTests|MQTTClientTests|NATSClientTests
# For simulate: how many runs, and more options, for example SIMULATE="--seed 123 --trace".
RUNS ?= 200
SIMULATE ?=
# For fuzz: inputs to try for each target, and the seed of the run.
FUZZ_RUNS ?= 300000
FUZZ_SEED ?= 1
# What comes before MQTT: each input is judged at every length.
FUZZ_TRANSPORT_RUNS ?= 20000
# Scripts for the core, each of many packets.
FUZZ_CORE_RUNS ?= 10000
# Texts about access.
FUZZ_ACCESS_RUNS ?= 50000
# Configuration files; each is read, written and read again.
FUZZ_CONFIGURATION_RUNS ?= 2000

# Scripts for the bridge's machine.
FUZZ_BRIDGE_RUNS ?= 20000

# For torture: how often the broker is killed, the seed (without it a new one), commit, os or none, and more options, for
# example TORTURE="--strict --verbose".
ROUNDS ?= 200
SEED ?=
DURABILITY ?= commit
TORTURE ?=

# For flock: where clients connect. For torture-flock: how long.
FLOCK_PORT ?= 1883
SECONDS ?= 60

SOURCES = Package.swift Sources Tests

.PHONY: help
help: ## list what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

.PHONY: deps
deps: ## install by name what tests and benchmarks need and this machine lacks (Debian packages, paho-mqtt, nats-server)
	@bash .ci/deps

.PHONY: build
build: deps ## build the broker for release: .build/release/dunlin
	$(SWIFT) build $(RELEASE_FLAGS) --product dunlin
	@test -x $(BROKER) || { echo "the build left no $(BROKER)" >&2; exit 1; }

.PHONY: run
run: build ## build the broker and start it on 127.0.0.1:1883 with the data directory DATA (options: ARGS="…")
	exec $(BROKER) serve --data $(DATA) $(ARGS)

.PHONY: flock
flock: build ## start three nats-servers, three nodes and HAProxy on this machine, for clients at 127.0.0.1:FLOCK_PORT
	exec python3 deploy/flock.py --broker $(BROKER) --port $(FLOCK_PORT)

.PHONY: torture-flock
torture-flock: build ## kill nodes and nats-servers of a flock for SECONDS; check every acknowledgement (SEED=)
	python3 Tests/Torture/torture-flock --broker $(BROKER) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))
	python3 Tests/Torture/torture-takeovers --broker $(BROKER) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

.PHONY: torture-drain
torture-drain: build ## drain a node of a flock behind HAProxy under load; check every acknowledgement
	python3 Tests/Torture/drain-flock --broker $(BROKER)

.PHONY: lint
lint: ## check the formatting
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

.PHONY: format
format: ## format the sources in place
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

.PHONY: test
test: deps lint build bench-allocations build-tests fuzz test-pure test-all test-torture ## everything that has to pass

.PHONY: build-tests
build-tests:
	$(SWIFT) build --build-tests

# Swift seeds its hashing anew in every process. With a fixed seed an order that leaks out of a Dictionary is always the
# same one; without it each run has another. What passes both ways does not depend on it.
.PHONY: test-pure
test-pure: build-tests
	SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) test --skip-build --filter '^($(PURE_SUITES))\.'

.PHONY: test-all
test-all: build-tests
	$(SWIFT) test --skip-build --skip '^($(SERVER_SUITES))\.'
	SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4 $(SWIFT) test --skip-build --filter '^($(SERVER_SUITES))\.'

.PHONY: simulate
simulate: ## run RUNS simulations from a seed that is printed first (options: SIMULATE="…"); test has 200 fixed seeds
	$(SWIFT) build $(RELEASE_FLAGS) --product simulate
	.build/release/simulate --runs $(RUNS) $(SIMULATE)

.PHONY: fuzz
fuzz: build-tests ## fuzz with FUZZ_RUNS inputs made from the corpus
	.build/debug/fuzz decoder --runs $(FUZZ_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz nats --runs $(FUZZ_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz transport --runs $(FUZZ_TRANSPORT_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz core --runs $(FUZZ_CORE_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz access --runs $(FUZZ_ACCESS_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz configuration --runs $(FUZZ_CONFIGURATION_RUNS) --seed $(FUZZ_SEED)
	.build/debug/fuzz bridge --runs $(FUZZ_BRIDGE_RUNS) --seed $(FUZZ_SEED)

TORTURE_RUN = python3 Tests/Torture/torture --broker $(BROKER)

.PHONY: torture
torture: build ## kill the broker ROUNDS times, cut its power, fill its disk; check every acknowledgement (SEED= DURABILITY= TORTURE="…")
	$(TORTURE_RUN) kill --rounds $(ROUNDS) --durability $(DURABILITY) $(if $(SEED),--seed $(SEED)) $(TORTURE)
	$(TORTURE_RUN) power-cut --rounds 50 $(if $(SEED),--seed $(SEED)) $(TORTURE)
	for durability in commit os none; do \
		$(TORTURE_RUN) log --rounds 30 --durability $$durability $(if $(SEED),--seed $(SEED)) $(TORTURE) || exit 1; done
	$(TORTURE_RUN) full-disk --rounds 20 $(if $(SEED),--seed $(SEED)) $(TORTURE)

# A short part of it, half a minute: none of these starts a further round after its seconds.
.PHONY: test-torture
test-torture: build
	$(TORTURE_RUN) kill --rounds 8 --seconds 8 --seed 1
	$(TORTURE_RUN) power-cut --rounds 4 --seconds 4 --seed 1
	$(TORTURE_RUN) log --rounds 3 --seconds 4 --seed 1 --durability os
	$(TORTURE_RUN) full-disk --rounds 2 --seconds 4 --seed 1
	python3 Tests/Torture/torture-flock --broker $(BROKER) --seconds 8 --seed 1
	python3 Tests/Torture/torture-takeovers --broker $(BROKER) --seconds 8 --connects 1500 --seed 1

.PHONY: test-browser
test-browser: build ## publish and subscribe over WebSocket from Chromium, where it is installed
	python3 Tests/Browser/browser --broker $(BROKER)

.PHONY: bench-transports
bench-transports: deps build ## measure TLS and WebSocket beside mosquitto in one interleaved run (REPEAT=)
	python3 Benchmarks/scripts/bench-transports --broker $(BROKER) --repeat $(REPEAT)

.PHONY: bench-attacks
bench-attacks: deps build ## measure what honest clients notice of attacks, and the memory these take (REPEAT=)
	python3 Benchmarks/scripts/bench-attacks --broker $(BROKER) --repeat $(REPEAT)

.PHONY: bench-peers
bench-peers: deps build ## measure the broker and mosquitto in one interleaved run (CASES= DURATION= REPEAT=)
	python3 Benchmarks/scripts/bench-peers --broker $(BROKER) --loadgen $(LOADGEN) \
		--cases $(CASES) --duration $(DURATION) --repeat $(REPEAT)

.PHONY: bench-durable
bench-durable: deps build ## measure what losing nothing costs, beside mosquitto with persistence (DURABLE="…" REPEAT=)
	python3 Benchmarks/scripts/bench-durable --broker $(BROKER) --loadgen $(LOADGEN) \
		--duration $(DURATION) --repeat $(REPEAT) $(DURABLE)

.PHONY: bench-flock
bench-flock: deps build ## measure a flock of three nodes beside NATS's own MQTT and RabbitMQ, its takeovers, a node's death (FLOCK="…" REPEAT=)
	python3 Benchmarks/scripts/bench-flock --broker $(BROKER) --loadgen $(LOADGEN) \
		--duration $(DURATION) --repeat $(REPEAT) $(FLOCK)

.PHONY: bench-start
bench-start: deps build ## measure the start on 1,000,000 messages for 100,000 sessions, to the first CONNACK
	python3 Benchmarks/scripts/bench-durable --broker $(BROKER) --loadgen $(LOADGEN) --cases start --alone

.PHONY: bench-store
bench-store: ## measure the embedded engine alone: what a message costs by how many share a transaction (STORE="…")
	$(SWIFT) build $(RELEASE_FLAGS) --product store-benchmark
	.build/release/store-benchmark $(STORE)

.PHONY: bench-wildcards
bench-wildcards: build ## measure what 100,000 other subscriptions cost a message
	python3 Benchmarks/scripts/bench-wildcards --broker $(BROKER) --loadgen $(LOADGEN) \
		--duration $(DURATION) --repeat $(REPEAT)

.PHONY: bench-nats
bench-nats: deps ## measure the NATS client with a cluster of three servers
	$(SWIFT) build $(RELEASE_FLAGS) --product bench-nats
	.build/release/bench-nats

.PHONY: bench-queue
bench-queue: ## measure what a message costs for each session that is away
	$(SWIFT) build $(RELEASE_FLAGS) --product queue-cost
	.build/release/queue-cost --messages 100
	.build/release/queue-cost --messages 1000
	.build/release/queue-cost --sessions 100000 --messages 20

.PHONY: bench-allocations
bench-allocations: ## count allocations per message, and compare with Benchmarks/allocations.json
	$(SWIFT) build $(RELEASE_FLAGS) --product allocations
	.build/release/allocations --check Benchmarks/allocations.json

.PHONY: bench-allocations-update
bench-allocations-update: ## write Benchmarks/allocations.json again
	$(SWIFT) build $(RELEASE_FLAGS) --product allocations
	.build/release/allocations --update Benchmarks/allocations.json

.PHONY: docs
docs: ## write the generated documents again
	$(SWIFT) build --product dunlin
	.build/debug/dunlin config limits-markdown > docs/limits.md
	$(SWIFT) build --build-tests
	DUNLIN_WRITE_DOCS=1 $(SWIFT) test --skip-build --filter '^ConformanceTests\.ConformanceDocumentTests'

.PHONY: clean
clean: ## remove what was built and installed here
	rm -rf .build .deps
