# Everything here works in a fresh clone with cargo, go and python3. The first run builds a control plane from source, once.
.PHONY: up down demo test ci crds control-plane build bench-webhooks

# Leaves control plane, sandbox and operator running; source .run/env to use them. Fine to run twice.
up: control-plane build
	@target/debug/devstack up

# Stops what `make up` started.
down: build
	@target/debug/devstack down

# Shows the operator at work, then stops everything.
demo: control-plane build
	@hack/demo

test: control-plane
	cargo test --workspace

# What continuous integration runs.
ci:
	.ci/run

# From what happens on TikTok to what kubectl shows, by webhooks alone: percentiles over 500 events, and calls per event.
bench-webhooks: control-plane
	cargo build --release --quiet --bins
	cargo run --release --quiet -p tiktok-ads-harness --bin bench-webhooks

# Generates the CRDs from the types, copies them into the chart, and writes the reference; tests keep them equal.
crds:
	cargo run --quiet --bin tiktok-ads-operator -- crds --dir crds
	cargo run --quiet --bin tiktok-ads-operator -- crds --markdown >docs/reference.md
	rm -f charts/tiktok-ads-operator/files/crds/*.yaml
	cp crds/*.yaml charts/tiktok-ads-operator/files/crds/

# etcd, kube-apiserver, kube-controller-manager, kubectl and helm.
control-plane:
	@hack/controlplane/build >/dev/null

build:
	cargo build --workspace --bins
