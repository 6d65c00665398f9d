// The page of the local cloud in a real browser: what a guest does in the shop, and what comes by mail; with a clean
// console, within its window, and with nothing that axe-core calls serious.
//
// Arguments: the `souk` binary, and the folder with `node_modules`. `SHOTS` names a folder for pictures of every step.

import assert from 'node:assert/strict';
import { SHOP, start } from './market.mjs';
import { chromium, heading, judged, look, put, ready } from './page.mjs';
import { stories as shopping, HOSTILE } from './shopping.mjs';
import { stories as reached } from './reached.mjs';

const [binary] = process.argv.slice(2);
const { CHROMIUM = '/usr/bin/chromium' } = process.env;
const WIDE = { width: 1100, height: 800 };
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

/** What the page does at the width of a small telephone. */
async function narrow(browser, { mug }) {
  const context = await browser.newContext({
    viewport: { width: 320, height: 640 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  await page.goto(SHOP);
  await heading(page, 'Goods');
  await look(page, 'narrow-goods');
  await put(page, mug);
  await look(page, 'narrow-product');
  await page.goto(`${SHOP}/#/cart`);
  await heading(page, 'Your cart');
  await look(page, 'narrow-cart');
  await ready(page, mug);
  await look(page, 'narrow-payment');
  await context.close();
}

async function things({ ask, advance }) {
  const merchants = await ask('/v1/merchants');
  const alma = merchants.items.find(({ external_id: name }) => name === 'alma').id;
  const { id: hostile } = await ask('/v1/products', { merchant: alma, title: HOSTILE, variants: [{}] });
  const price = { amount: '3.00', currency: 'EUR' };
  const { id } = await ask('/v1/offers', { merchant: alma, product: hostile, sku: 'hostile', price });
  await ask(`/v1/stock/${id}/receive`, { quantity: 5 });
  const offers = await ask(`/v1/offers?merchant=${alma}&sku=stoneware-mug-sand`);
  return { hostile, mug: offers.items[0].product, ask, advance };
}

/** Devices of one size, each with a memory of its own; what goes wrong on any of their pages is gathered. */
function devices(browser, viewport) {
  const [contexts, faults] = [[], []];
  const listen = (page) => {
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (line) => {
      // A refusal of the API is told here too, and on the page.
      const refusal = line.text().startsWith('Failed to load resource');
      // A mail may run nothing, not even what axe-core or a measure tries there.
      const mail = line.text().startsWith(`Blocked script execution in '${SHOP}/mail/`);
      if (line.type() === 'error' && !refusal && !mail && !judged.has(page)) faults.push(line.text());
    });
  };
  const another = async () => {
    const context = await browser.newContext({ viewport });
    contexts.push(context);
    context.setDefaultTimeout(15_000);
    context.on('page', listen);
    return context.newPage();
  };
  const close = () => Promise.all(contexts.map((context) => context.close()));
  return { another, faults, close };
}

async function story(browser, viewport, name, tell, made) {
  const { another, faults, close } = devices(browser, viewport);
  const page = await another();
  try {
    await tell(page, { ...made, another, width: viewport.width });
    assert.deepEqual(faults, [], 'the page has errors');
    console.log(`ok: ${name}, ${viewport.width} pixels wide`);
  } catch (error) {
    const pages = page.context().browser().contexts().flatMap((context) => context.pages());
    const shown = pages.map((page) => page.locator('main').innerText({ timeout: 500 }).catch(() => ''));
    const told = (await Promise.all(shown)).join('\n--\n');
    throw new Error(`${name}\n${error.message}\nThe pages show:\n${told}\nErrors: ${faults.join('; ')}`);
  } finally {
    await close();
  }
}

async function all() {
  const market = await start(binary);
  let browser;
  try {
    // Nothing but this page is shown, and root has no sandbox.
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    const made = await things(market);
    const only = ([name]) => name.includes(process.env.ONLY ?? '');
    for (const [name, tell] of Object.entries(shopping).filter(only))
      await story(browser, WIDE, name, tell, made);
    await narrow(browser, made);
    console.log('ok: 320 pixels are enough');
    // The last, for they move the clock on.
    for (const viewport of [DESKTOP, PHONE])
      for (const [name, tell] of Object.entries(reached).filter(only))
        await story(browser, viewport, name, tell, made);
  } finally {
    await browser?.close();
    await market.stop();
  }
}

try {
  await all();
} catch (error) {
  console.error(`the browser test has failed: ${error.message}`);
  process.exitCode = 1;
}
