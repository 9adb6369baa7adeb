#!/usr/bin/env bash
# Runs the tests of this folder on a new cluster of kind (`make test-kind`); arguments go to pytest. Exit code 77: not here.
set -euo pipefail
cd "$(dirname "$0")/../.."

not_here() {
  echo "make test-kind needs $1; make test-cluster does the same without it (Linux, root)." >&2
  exit 77
}
docker info >/dev/null 2>&1 || not_here "Docker, with its daemon running"
command -v kind >/dev/null || not_here "kind"
command -v redis-server >/dev/null || not_here "redis-server (Debian: apt-get install redis-server), for Argo CD"

name=coldsend-test
image=localhost/coldsend-operator:test
folder=$(mktemp -d)
trap 'kind delete cluster --name "$name"; rm -rf "$folder"' EXIT

IMAGE=$image ENGINE=docker image/build.sh
export KUBECONFIG=$folder/kubeconfig
kind create cluster --name "$name" --wait 120s
kind load docker-image "$image" --name "$name"

export CLUSTER=current KIND_NODE=$name-control-plane
KIND_HOST=$(docker network inspect kind --format '{{range .IPAM.Config}}{{println .Gateway}}{{end}}' | grep -m 1 '\.')
export KIND_HOST
.venv/bin/python -m pytest tests/cluster "$@"
