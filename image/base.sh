#!/usr/bin/env bash
# Makes a base image from packages of this machine's Debian or Ubuntu mirror, if no container registry can be reached:
# `image/base.sh ENGINE NAME`. Needs root and debootstrap. The file tree is kept in .cache/ for the next time.
set -euo pipefail
cd "$(dirname "$0")/.."
engine=$1 name=$2

. /etc/os-release
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | sed 's#/*$##' | grep -Ev 'security|ports' | head -n 1)
# The tree is renamed when it is complete, as an interrupted run may leave part of one.
tree=.cache/image/base-$VERSION_CODENAME
if [ ! -d "$tree" ]; then
  echo "No container registry can be reached: making a base image of $PRETTY_NAME with debootstrap, once (about a minute)." >&2
  rm -rf "$tree".partial
  mkdir -p "$tree".partial
  log=.cache/image/debootstrap.log
  if ! debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv \
    "$VERSION_CODENAME" "$tree".partial "$mirror" >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    exit 1
  fi
  rm -rf "$tree".partial/{var/cache/apt,var/lib/apt/lists,var/log,usr/share/doc,usr/share/man,usr/share/locale,usr/share/info,dev,proc,sys,run,tmp}/*
  mv "$tree".partial "$tree"
fi

context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT
tar --create --file "$context/base.tar" --directory "$tree" --sort=name --one-file-system .
printf 'FROM scratch\nADD base.tar /\n' >"$context/Dockerfile"
"$engine" build --tag "$name" --file "$context/Dockerfile" "$context" >/dev/null
