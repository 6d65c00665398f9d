#!/usr/bin/env bash
# The shop at http://127.0.0.1:8080/ in a real browser. Argument: the `souk` binary. Installs what is missing of chromium
# and of the pinned modules; ends what it has started.
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p target/browser
missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
# Another node than Debian's may be there, which Debian's npm does not go with.
command -v npm > /dev/null || missing+=(nodejs npm)
if [ "${#missing[@]}" -gt 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } > target/browser.log 2>&1 ||
    { tail -5 target/browser.log >&2; echo "${missing[*]} wanted: install them, then try again" >&2; exit 1; }
fi
cp tests/outside/browser/package.json tests/outside/browser/package-lock.json target/browser/
npm ci --silent --no-audit --no-fund --prefix target/browser
node tests/outside/browser/shop.mjs "$1" target/browser
