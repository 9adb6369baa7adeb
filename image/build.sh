#!/usr/bin/env bash
# Builds the image with the first engine that works, and dist/sbom.cdx.json from what lies in it (`make image`).
# BASE: image with Python 3.11 or newer; IMAGE: name and tag; ENGINE: docker, podman or buildah.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' operator/coldsend_operator/__init__.py)
image=${IMAGE:-coldsend-operator:$version}
commit=$(git rev-parse HEAD)

find_engine() { # docker may be there without its daemon
  local engine
  for engine in ${ENGINE:-docker podman buildah}; do
    if "$engine" info >/dev/null 2>&1; then
      echo "$engine"
      return
    fi
  done
  echo "None of docker, podman and buildah is there and works; install one (Debian: apt-get install buildah)." >&2
  return 1
}

engine=$(find_engine)
arguments=(--file Dockerfile --build-arg "VERSION=$version" --build-arg "COMMIT=$commit")
if [ -n "${BASE:-}" ]; then arguments+=(--build-arg "BASE=$BASE"); fi

mkdir -p dist
"$engine" build "${arguments[@]}" --target sbom --tag "$image-sbom" .
"$engine" build "${arguments[@]}" --tag "$image" .
case $engine in
  buildah)
    box=$(buildah from --pull-never "$image-sbom")
    trap 'buildah rm "$box" >/dev/null' EXIT
    folder=$(buildah mount "$box")
    cp "$folder/sbom.cdx.json" dist/sbom.cdx.json
    bytes=$(buildah inspect --type image --format '{{.Docker.Size}}' "$image" 2>/dev/null || true)
    ;;
  *)
    box=$("$engine" create "$image-sbom" none)
    trap '"$engine" rm "$box" >/dev/null' EXIT
    "$engine" cp "$box:/sbom.cdx.json" dist/sbom.cdx.json
    bytes=$("$engine" image inspect --format '{{.Size}}' "$image")
    ;;
esac
echo "$image, built by $engine${bytes:+, $((bytes / 1000000)) MB}; SBOM: dist/sbom.cdx.json"
