#!/usr/bin/env bash
# Builds the image with the first container engine that works, and its SBOM, dist/sbom.cdx.json (`make image`).
# Releases are made without a container engine: `python -m release`.
# BASE: base image with Python 3.11 or newer, or `debootstrap` to make one from Debian packages; default: the Dockerfile's
# base, or one from Debian packages if that cannot be pulled. IMAGE: name and tag. ENGINE: docker, podman or buildah.
# PLATFORM: linux/amd64 or linux/arm64; a foreign one needs emulation (QEMU).
# ARCHIVE: a file to write the image to, as an OCI archive (buildah only).
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^__version__ = "\(.*\)"/\1/p' operator/coldsend_operator/__init__.py)
image=${IMAGE:-coldsend-operator:$version}
commit=$(git rev-parse HEAD)

find_engine() { # docker may be installed without its daemon
  local engine
  for engine in ${ENGINE:-docker podman buildah}; do
    if "$engine" info >/dev/null 2>&1; then
      echo "$engine"
      return
    fi
  done
  echo "None of docker, podman and buildah works here; install one (Debian: apt-get install buildah)." >&2
  return 1
}

can_make_base() { [ "$(id -u)" = 0 ] && command -v debootstrap >/dev/null; }

# buildah runs the steps without a container runtime, so it also works within containers.
export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot}
engine=$(find_engine)
arguments=(--file Dockerfile --build-arg "VERSION=$version" --build-arg "COMMIT=$commit")
if [ -n "${PLATFORM:-}" ]; then arguments+=(--platform "$PLATFORM"); fi
usual=$(sed -n 's/^ARG BASE=//p' Dockerfile)
base=${BASE:-$usual}
if [ -z "${BASE:-}" ] && can_make_base && ! "$engine" pull "$usual" >/dev/null 2>&1; then base=debootstrap; fi
if [ "$base" = debootstrap ]; then
  base=localhost/coldsend-base:debian
  image/base.sh "$engine" "$base"
fi
arguments+=(--build-arg "BASE=$base")
if [ "$engine" = buildah ]; then arguments+=(--layers); fi # cache unchanged steps, as the other engines do

# The build uses pip's settings of this machine (mirror, certificate), which do not become part of the image.
settings=$(mktemp -d)
trap 'rm -rf "$settings"' EXIT
if [ "$engine" != docker ]; then
  python3 image/pip_settings.py "$settings/pip.conf"
  arguments+=(--volume "$settings/pip.conf:/etc/pip.conf:ro")
  certificate=${PIP_CERT:-}
  if [ -f "$certificate" ]; then arguments+=(--volume "$certificate:$certificate:ro"); fi
fi

"$engine" build "${arguments[@]}" --tag "$image" .
files=$settings/files # the input of the SBOM
mkdir -p "$files" dist
case $engine in
  buildah)
    box=$(buildah from --pull-never "$image")
    trap 'rm -rf "$settings"; buildah rm "$box" >/dev/null' EXIT
    folder=$(buildah mount "$box")
    cp -r "$folder/opt/coldsend/lib" "$folder/var/lib/dpkg/status" "$files"
    if [ -n "${ARCHIVE:-}" ]; then buildah push --quiet "$image" "oci-archive:$ARCHIVE:$image"; fi
    bytes=$(buildah inspect --type image --format '{{.Docker.Size}}' "$image" 2>/dev/null || true)
    ;;
  *)
    box=$("$engine" create "$image")
    trap 'rm -rf "$settings"; "$engine" rm "$box" >/dev/null' EXIT
    "$engine" cp "$box:/opt/coldsend/lib" "$files"
    "$engine" cp "$box:/var/lib/dpkg/status" "$files"
    bytes=$("$engine" image inspect --format '{{.Size}}' "$image")
    ;;
esac
PYTHONPATH=operator .venv/bin/python -m release.sbom "$files"/lib/python3*/site-packages "$files/status" >dist/sbom.cdx.json
echo "$image, built by $engine${bytes:+, $((bytes / 1000000)) MB}; SBOM: dist/sbom.cdx.json"
