#!/usr/bin/env bash
# The Stripe client against localstripe: an implementation of Stripe's API by others. Takes the Python that has it.
set -euo pipefail
cd "$(dirname "$0")/../.."

port=8420
"$1" tests/outside/run_localstripe.py "$port" > /dev/null &
server=$!
trap 'kill "$server"' EXIT
until (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do
    kill -0 "$server"
    sleep 0.1
done
LOCALSTRIPE="http://127.0.0.1:$port" cargo test --workspace --locked --test localstripe -- --ignored
