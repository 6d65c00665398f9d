// The marketplace on a fresh folder, as its operator and as whoever stands at its clock have it.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const SHOP = 'http://127.0.0.1:8080';

/** Waits until something is so; what it asks has its own pace, so the pauses are short. */
export async function until(what, ask, seconds = 60) {
  const ends = Date.now() + seconds * 1000;
  for (;;) {
    let why = '';
    const found = await ask().catch((error) => {
      why = `: ${error.message}`;
    });
    if (found) return found;
    if (Date.now() > ends) throw new Error(`${what}: not within ${seconds} s${why}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Answers how to call it as its operator, how to move its clock on, and how to stop it. */
export async function start(binary) {
  const taken = await fetch(SHOP).catch(() => null);
  if (taken) throw new Error('something listens on port 8080 already: stop it first');
  const folder = await mkdtemp(join(tmpdir(), 'souk-browser-'));
  const souk = spawn(binary, ['--data', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  const hear = (text) => {
    said += text;
  };
  souk.stdout.on('data', hear);
  souk.stderr.on('data', hear);
  const ended = new Promise((done) => souk.once('exit', done));
  souk.once('error', (error) => hear(String(error)));
  const stop = async () => {
    const late = setTimeout(() => souk.kill('SIGKILL'), 10_000);
    if (souk.pid !== undefined && souk.exitCode === null && souk.signalCode === null) {
      souk.kill('SIGINT');
      await ended;
    }
    clearTimeout(late);
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => stop().finally(() => process.exit(1)));
  try {
    await until(
      'the marketplace is ready',
      async () => {
        if (souk.exitCode !== null) return 'ended';
        return said.includes('Ctrl-C') && (await fetch(SHOP)).ok;
      },
      180,
    );
    assert.equal(souk.exitCode, null, `souk has ended by itself: ${said}`);
    const key = (await readFile(join(folder, 'demo.key'), 'utf8')).trim();
    const run = promisify(execFile);
    const advance = (by) => run(binary, ['--data', folder, 'clock', 'advance', by]);
    return { ask: (path, body) => ask(key, path, body), advance, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

let asked = 0;

async function ask(key, path, body) {
  asked += 1;
  const headers = { Authorization: `Bearer ${key}`, 'Idempotency-Key': `browser-${asked}` };
  const request = body ? { method: 'POST', body: JSON.stringify(body), headers } : { headers };
  const answer = await fetch(SHOP + path, request);
  const told = await answer.json();
  assert.ok(answer.ok, `${path}: ${answer.status} ${JSON.stringify(told)}`);
  return told;
}
