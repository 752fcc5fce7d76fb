#!/usr/bin/env bash
# Builds the examples, or those that are named. Where a toolchain cannot be had the example is skipped and says so;
# METERBOX_REQUIRE_LANGUAGES=1 makes that a failure.
set -uo pipefail
cd "$(dirname "$0")"

failed=0
for example in ${*:-$(printf '%s ' */)}; do
  example=${example%/}
  start=$SECONDS
  "$example/build.sh"
  code=$?
  case $code in
    0) echo "$example: built in $((SECONDS - start)) s" ;;
    77) [ "${METERBOX_REQUIRE_LANGUAGES:-}" = 1 ] && failed=1 ;;
    *)
      echo "$example: failed" >&2
      failed=1
      ;;
  esac
done
exit $failed
