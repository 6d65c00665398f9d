#!/usr/bin/env bash
# The template deployed to ministack, an AWS by others in one process, and a day of the marketplace there. Ports 4566
# to 4568 must be free; ends what it has started.
set -euo pipefail
cd "$(dirname "$0")/../.."

# What `cargo lambda build` makes for AWS lies where the template's CodeUri says. For this machine plain cargo makes the
# same, with the features that the tests have been built with: only the binaries are left to link.
cargo build --workspace --locked --bins --test tidy
for function in functions/*/; do
  name=$(basename "$function")
  mkdir -p "target/lambda/$name"
  strip -o "target/lambda/$name/bootstrap" "${CARGO_TARGET_DIR:-target}/debug/$name"
done

python3 -m venv target/ministack
python=target/ministack/bin/python
$python -m pip install --quiet --disable-pip-version-check --requirement tests/outside/deployment/requirements.txt

work=$(mktemp -d)
started=()
finish() {
  status=$?
  kill "${started[@]}" 2> /dev/null || true
  wait || true
  if [ $status -ne 0 ]; then
    grep -E "WARNING|ERROR|DENIED" "$work/ministack.log" | tail -20 >&2 || true
  fi
  rm -rf "$work"
}
trap finish EXIT

port=4566
export GATEWAY_PORT=$port TMPDIR=$work PYTHONDONTWRITEBYTECODE=1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-central-1 MINISTACK_REGION=eu-central-1
export AWS_ENDPOINT_URL=http://127.0.0.1:$port
# What the functions get beside the template's variables: the table behind the proxy, and a clock that can be moved.
AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:$((port + 1)) SOUK_CLOCK=http://127.0.0.1:$((port + 2)) \
  $python tests/outside/deployment/run_ministack.py > "$work/ministack.log" 2>&1 &
started+=($!)
$python tests/outside/deployment/run_microburst.py $((port + 1)) $port > "$work/microburst.log" 2>&1 &
started+=($!)
for each in 0 1; do
  until (exec 3<> "/dev/tcp/127.0.0.1/$((port + each))") 2> /dev/null; do
    kill -0 "${started[each]}" 2> /dev/null || { cat "$work"/*.log >&2; exit 1; }
    sleep 0.1
  done
done
$python tests/outside/deployment/check.py $port
if grep DENIED "$work/ministack.log" >&2; then
  echo "WRONG: policies of the template do not allow what functions do" >&2
  exit 1
fi
