#!/usr/bin/env bash
# The API against its own contract: schemathesis asks for every operation of infra/openapi.json, in ways that it allows
# and in ways that it does not, and holds the answers against it. Arguments: the `souk` binary, then options of `st run`
# (`--include-tag cart`); `EXAMPLES` asks more of each operation than CI does, `PHASES` says which runs there are.
set -euo pipefail
cd "$(dirname "$0")/../.."

souk=$1
shift
python3 -m venv target/schemathesis
target/schemathesis/bin/pip install --quiet --disable-pip-version-check \
  --requirement tests/outside/schemathesis/requirements.txt

folder=$(mktemp -d)
running=
stop() {
  [ -z "$running" ] || { kill -INT "$running" 2> /dev/null && wait "$running" || true; }
  running=
}
trap 'stop; rm -r "$folder"' EXIT

# Each run has a marketplace of its own.
for phases in ${PHASES:-examples,coverage,fuzzing stateful}; do
  if (exec 3<> /dev/tcp/127.0.0.1/8080) 2> /dev/null; then
    echo "something listens on port 8080 already: stop it first" >&2
    exit 1
  fi
  data="$folder/$phases"
  "$souk" --data "$data" > "$data.said" 2>&1 &
  running=$!
  until grep -q Ctrl-C "$data.said"; do
    kill -0 "$running" || { cat "$data.said" >&2; exit 1; }
    sleep 0.1
  done
  SOUK_PERSON=$("$souk" --data "$data" token --hours 24)
  export SOUK_PERSON
  target/schemathesis/bin/st --config-file tests/outside/schemathesis/schemathesis.toml run infra/openapi.json \
    --url http://127.0.0.1:8080 --phases "$phases" --output-sanitize false \
    ${EXAMPLES:+--max-examples "$EXAMPLES"} "$@"
  stop
done
