// The page of the local cloud in a real browser: a guest finds, chooses, pays and sees the order; by keyboard alone;
// with hostile names; and with nothing that axe-core calls serious.
//
// Arguments: the `souk` binary, and the folder with `node_modules`. `SHOTS` names a folder for pictures of every step.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const [binary, modules] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), '/'));
const { chromium } = require('playwright-core');
const AXE = await readFile(require.resolve('axe-core/axe.min.js'), 'utf8');
const SHOP = 'http://127.0.0.1:8080';
const HOSTILE = '<script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">';
const { SHOTS, CHROMIUM = '/usr/bin/chromium' } = process.env;
let shots = 0;
const judged = new Set();

/** Waits until something is so; what it asks has its own pace, so the pauses are short. */
async function until(what, ask, seconds = 60) {
  const ends = Date.now() + seconds * 1000;
  for (;;) {
    const found = await ask().catch(() => null);
    if (found) return found;
    if (Date.now() > ends) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** The marketplace on a fresh folder; answers how to call it as its operator, and how to stop it. */
async function start() {
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
    return { ask: (path, body) => ask(key, path, body), stop };
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

/** Waits for what a function answers in the page; Playwright's own way of waiting is forbidden by the page's policy. */
function so(page, test, ...words) {
  return until(String(test), () => page.evaluate(test, ...words), 15);
}

/** A picture, if they are wanted, and axe-core's judgment. */
async function look(page, name) {
  await so(page, () => !document.querySelector('main[aria-busy]'));
  if (SHOTS) {
    shots += 1;
    const path = join(SHOTS, `${String(shots).padStart(2, '0')}-${name}.png`);
    await page.screenshot({ path, fullPage: true });
  }
  // What axe-core tries that the page's policy forbids is no fault of the page.
  judged.add(page);
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run());
  judged.delete(page);
  const bad = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = bad.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  assert.deepEqual(told, [], `${name}: axe-core complains`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name}: the page is ${wide} pixels wider than its window`);
}

const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor();
const press = (page, name) => page.getByRole('button', { name }).click();
const alertSays = async (page, text) => {
  await page.getByRole('alert').filter({ hasText: text }).waitFor();
};
/** Focus follows what is shown, for who cannot see it. */
const focusIsOn = async (page, text) => {
  await so(page, (text) => document.activeElement?.textContent === text, text);
};

const focusOf = async (page, id) => {
  await so(page, (id) => document.activeElement?.id === id, id);
};

async function put(page, product) {
  await page.goto(`${SHOP}/#/product/${product}`);
  await press(page, 'Put into the cart');
  await page.getByText('It lies in your cart.').waitFor();
}

/** From an empty cart to the choice of payment. */
async function ready(page, product) {
  await put(page, product);
  await page.goto(`${SHOP}/#/checkout`);
  await page.getByLabel('E-mail').fill('ines@post.example');
  await press(page, 'Save the contact');
  await page.getByLabel('Name', { exact: true }).fill('Ines Groß');
  await page.getByLabel('Street and number').fill('Lindenweg 5');
  await page.getByLabel('Postal code').fill('10969');
  await page.getByLabel('City').fill('Berlin');
  await press(page, 'Save the address');
  await press(page, 'Save the delivery');
  await heading(page, 'Payment');
}

async function pay(page, means) {
  await page.getByLabel(means).check();
  await press(page, /^Pay /);
}

const stories = {
  async 'a guest finds a mug, mistypes the address, is declined, pays, and sees the order'(page) {
    await page.goto(SHOP);
    await heading(page, 'Goods');
    await look(page, 'goods');
    const before = await page.locator('.goods li').count();
    await press(page, 'Show more');
    await so(page, (before) => document.querySelectorAll('.goods li').length > before, before);
    await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: 'Mugs' }).click();
    await heading(page, 'Mugs');
    await look(page, 'category');
    await page.getByRole('link', { name: /Stoneware Mug/ }).click();
    await heading(page, 'Stoneware Mug');
    await focusIsOn(page, 'Stoneware Mug');
    await look(page, 'product');
    await page.getByLabel('slate').check();
    await page.getByLabel('Quantity').fill('2');
    await press(page, 'Put into the cart');
    await page.getByRole('link', { name: 'Go to the cart' }).click();
    await heading(page, 'Your cart');
    await page.getByRole('link', { name: 'Cart (2)' }).waitFor();
    await page.getByText('How the total comes about').click();
    await look(page, 'cart');

    // More than there is: the line says so, and the checkout waits.
    await page.getByLabel('Quantity of Stoneware Mug').fill('99');
    await page.getByLabel('Quantity of Stoneware Mug').press('Enter');
    await page.getByText('Change the lines with a problem first.').waitFor();
    await look(page, 'cart-problem');
    await page.getByLabel('Quantity of Stoneware Mug').fill('3');
    await page.getByLabel('Quantity of Stoneware Mug').press('Enter');
    await so(page, () => document.getElementById('status').textContent === 'Total €43.50');
    await page.reload();
    assert.equal(
      await page.getByLabel('Quantity of Stoneware Mug').inputValue(),
      '3',
      'a reload keeps the cart',
    );

    // A code that nobody knows is told beside its field; one that holds is a line of the total.
    await page.getByLabel('Discount code').fill('nothing');
    await press(page, 'Use the code');
    await page.locator('#field-codes-add[aria-invalid]').waitFor();
    const unknown = await page.locator('#field-codes-add-error').textContent();
    assert.equal(unknown, 'nothing: there is no such code');
    await look(page, 'code-unknown');
    await press(page, 'Take out the code nothing');
    await so(page, () => document.querySelector('[aria-label="Codes in the cart"]') === null);
    await page.getByLabel('Discount code').fill(' welcome10 ');
    await page.getByLabel('Discount code').press('Enter');
    // 10 % of 43.50.
    await so(page, () => document.getElementById('status').textContent === 'Total €39.15');
    const off = page.locator('.totals div', { hasText: 'Discount WELCOME10' });
    assert.equal(await off.locator('dd').textContent(), '-€4.35');
    await focusOf(page, 'field-codes-add');
    await look(page, 'code');

    await page.getByRole('link', { name: 'To the checkout' }).click();
    await heading(page, 'Contact');
    await press(page, 'Save the contact');
    await alertSays(page, 'give `email` or `phone`');
    await page.getByLabel('E-mail').fill('nobody');
    await press(page, 'Save the contact');
    await page.locator('.error', { hasText: /./ }).waitFor();
    await look(page, 'contact-wrong');
    await page.getByLabel('E-mail').fill('ines@post.example');
    await press(page, 'Save the contact');
    await heading(page, 'Address');
    await focusIsOn(page, 'Address');
    await page.getByLabel('Name', { exact: true }).fill('Ines Groß');
    await page.getByLabel('Postal code').fill('1096');
    await press(page, 'Save the address');
    await page.locator('#field-address-postal_code[aria-invalid]').waitFor();
    const told = await page.locator('#field-address-postal_code-error').textContent();
    assert.match(told, /\S/, 'the error stands beside its field');
    await look(page, 'address-wrong');
    await page.getByLabel('Street and number').fill('Lindenweg 5');
    await page.getByLabel('Postal code').fill('10969');
    await page.getByLabel('City').fill('Berlin');
    await press(page, 'Save the address');
    await heading(page, 'Delivery');
    await look(page, 'delivery');
    await page.getByLabel('express').check();
    await press(page, 'Save the delivery');
    await heading(page, 'Payment');
    await look(page, 'payment');
    await page.goBack();
    await heading(page, 'Delivery');
    await page.goForward();
    await heading(page, 'Payment');

    await pay(page, 'Card that is declined: insufficient funds');
    await alertSays(page, 'insufficient funds');
    await look(page, 'declined');
    await pay(page, 'Card that is approved');
    await heading(page, 'Your order');
    await page.getByText('It is paid. Thank you!').waitFor();
    await page.getByText('3 × Stoneware Mug').waitFor();
    await page.getByText('€49.05').first().waitFor();
    await look(page, 'order');
    await page.reload();
    await page.getByText('It is paid. Thank you!').waitFor();
    await page.getByRole('link', { name: 'Cart', exact: true }).click();
    await page.getByText('It is empty.').waitFor();
    await look(page, 'cart-empty');
  },

  async 'steps come in any order, and what is missing is told'(page, { mug }) {
    await put(page, mug);
    await page.goto(`${SHOP}/#/checkout/payment`);
    await page.getByText('Still missing:').waitFor();
    await look(page, 'payment-missing');
    await press(page, /^Pay /);
    await page.getByRole('alert').waitFor();
    await page
      .getByRole('navigation', { name: 'Steps' })
      .getByRole('link', { name: /Delivery/ })
      .click();
    await heading(page, 'Delivery');
    await press(page, 'Save the delivery');
    await heading(page, 'Contact');
  },

  async 'by keyboard alone'(page, { mug }) {
    const to = async (test, name) => {
      for (let presses = 0; presses < 120; presses += 1) {
        await page.keyboard.press('Tab');
        if (await page.evaluate(test)) {
          const seen = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
          assert.notEqual(seen, 'none', `${name}: the focus is seen`);
          return;
        }
      }
      throw new Error(`${name}: the Tab key does not lead there`);
    };
    const toButton = (name) =>
      to(
        `document.activeElement.tagName === 'BUTTON'
      && document.activeElement.textContent.startsWith(${JSON.stringify(name)})`,
        name,
      );
    const toField = (id) => to(`document.activeElement.id === ${JSON.stringify(id)}`, id);
    const toLink = (name) =>
      to(
        `document.activeElement.tagName === 'A'
      && document.activeElement.textContent === ${JSON.stringify(name)}`,
        name,
      );
    await page.goto(`${SHOP}/#/product/${mug}`);
    await page.getByRole('button', { name: 'Put into the cart' }).waitFor();
    await to(`document.activeElement.name === 'offer'`, 'the choice of variants');
    await page.keyboard.press('ArrowDown');
    await toButton('Put into the cart');
    await page.keyboard.press('Enter');
    await page.getByText('It lies in your cart.').waitFor();
    await toLink('Go to the cart');
    await page.keyboard.press('Enter');
    await heading(page, 'Your cart');
    await focusIsOn(page, 'Your cart');
    await toLink('To the checkout');
    await page.keyboard.press('Enter');
    await heading(page, 'Contact');
    const type = async (id, text) => {
      await toField(id);
      await page.keyboard.type(text);
    };
    await type('field-contact-email', 'ines@post.example');
    await page.keyboard.press('Enter');
    await heading(page, 'Address');
    await focusIsOn(page, 'Address');
    await type('field-address-name', 'Ines Groß');
    await type('field-address-lines', 'Lindenweg 5');
    await type('field-address-postal_code', '10969');
    await type('field-address-city', 'Berlin');
    await page.keyboard.press('Enter');
    await heading(page, 'Delivery');
    await toButton('Save the delivery');
    await page.keyboard.press('Enter');
    await heading(page, 'Payment');
    await toButton('Pay ');
    await page.keyboard.press('Enter');
    await heading(page, 'Your order');
    await focusIsOn(page, 'Your order');
  },

  async 'a script in a name is text'(page, { hostile }) {
    await page.goto(SHOP);
    await heading(page, 'Goods');
    const named = page.locator('.goods').getByText(HOSTILE, { exact: true });
    const more = page.getByRole('button', { name: 'Show more' });
    for (let pages = 0; pages < 5 && (await named.count()) === 0; pages += 1) {
      const before = await page.locator('.goods li').count();
      await more.click();
      await so(page, (before) => document.querySelectorAll('.goods li').length > before, before);
    }
    await named.waitFor();
    await page.goto(`${SHOP}/#/product/${hostile}`);
    await heading(page, HOSTILE);
    await look(page, 'script');
    await press(page, 'Put into the cart');
    await page.getByRole('link', { name: 'Go to the cart' }).click();
    await page.getByText(HOSTILE, { exact: true }).first().waitFor();
    assert.equal(await page.evaluate(() => window.hurt), undefined, 'no script of a name has run');
    const { headers } = await fetch(SHOP);
    assert.match(headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/);
  },

  async 'a payment whose answer is lost is asked for again'(page, { mug }) {
    await ready(page, mug);
    await pay(page, 'Card whose answer is lost on the way, but approved');
    await heading(page, 'We do not know yet');
    await look(page, 'waiting');
    await page.goto(`${SHOP}/#/cart`);
    await page.getByText('A payment for it is on its way').waitFor();
    await page.getByRole('link', { name: 'See how the payment stands' }).click();
    await heading(page, 'We do not know yet');
    await press(page, 'Ask again');
    await heading(page, 'Your order');
    // One that never arrived frees the cart.
    await ready(page, mug);
    await pay(page, 'Card whose charge never reaches the bank');
    await press(page, 'Ask again');
    await alertSays(page, 'not received');
    await heading(page, 'Payment');
  },

  async 'a payment that the bank asks about goes on when the operator has played the customer'(
    page,
    { mug, ask },
  ) {
    await ready(page, mug);
    await pay(page, 'Card whose bank asks you to confirm');
    await heading(page, 'Your bank asks you to confirm');
    await look(page, 'action');
    const line = await page.getByLabel('To confirm').textContent();
    const payment = JSON.parse(line.match(/-d '(.*)'/)[1]);
    await ask('/v1/gateways/sandbox/tell', payment);
    await press(page, 'Ask again');
    await page.getByRole('link', { name: 'Look at the order' }).or(page.getByText('It is paid.')).waitFor();
  },

  async 'a voucher pays a part, and a bank transfer is waited for'(page, { mug }) {
    await ready(page, mug);
    await page.getByLabel('Voucher').waitFor();
    await page.goto(`${SHOP}/#/cart`);
    await page.getByRole('spinbutton').fill('2');
    await page.getByRole('spinbutton').press('Enter');
    await so(page, () => document.getElementById('status').textContent.startsWith('Total'));
    await page.goto(`${SHOP}/#/checkout/payment`);
    await pay(page, 'Voucher of 20.00, the rest by card');
    await heading(page, 'Your order');
    await page.getByText('voucher: ').waitFor();
    await page.getByText('card: ').waitFor();
    await ready(page, mug);
    await pay(page, 'Bank transfer');
    await heading(page, 'Your order');
    await page.getByText('We wait for the payment.').waitFor();
    await look(page, 'transfer');
  },

  async 'what costs nothing is ordered without a payment'(page, { mug, ask }) {
    await ask('/v1/promotions/set-code', { name: 'ALL', percent: '100' });
    await ask('/v1/promotions/set-code', { name: 'BRING', free_delivery: true });
    await ready(page, mug);
    await page.getByRole('link', { name: 'Change the cart' }).click();
    for (const code of ['all', 'bring']) {
      await page.getByLabel('Discount code').fill(code);
      await press(page, 'Use the code');
      await page.getByRole('button', { name: `Take out the code ${code.toUpperCase()}` }).waitFor();
    }
    await page.goto(`${SHOP}/#/checkout/payment`);
    await page.getByText('There is nothing to pay.').waitFor();
    await look(page, 'nothing-to-pay');
    await press(page, 'Place the order');
    await heading(page, 'Your order');
    await page.getByText('There was nothing to pay.').waitFor();
    await look(page, 'nothing-paid');
  },

  async 'a cart that has gone, and one that was ordered in another tab'(page, { mug }) {
    await page.goto(SHOP);
    await page.evaluate(() => localStorage.setItem('souk-cart', 'crt_00000000000000000000000000'));
    await page.goto(`${SHOP}/#/cart`);
    await page.getByText('It is empty.').waitFor();
    await page.evaluate(() => localStorage.setItem('souk-cart', 'crt_00000000000000000000000000'));
    await ready(page, mug);
    const other = await page.context().newPage();
    await other.goto(`${SHOP}/#/checkout/payment`);
    await pay(other, 'Card that is approved');
    await heading(other, 'Your order');
    await press(page, /^Pay /);
    // Paid twice is paid once: this tab is shown the order that is there.
    await heading(page, 'Your order');
    assert.equal(page.url(), other.url());
    await other.close();
  },
};

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

async function things({ ask }) {
  const merchants = await ask('/v1/merchants');
  const alma = merchants.items.find(({ external_id: name }) => name === 'alma').id;
  const { id: hostile } = await ask('/v1/products', { merchant: alma, title: HOSTILE, variants: [{}] });
  const price = { amount: '3.00', currency: 'EUR' };
  const { id } = await ask('/v1/offers', { merchant: alma, product: hostile, sku: 'hostile', price });
  await ask(`/v1/stock/${id}/receive`, { quantity: 5 });
  const offers = await ask(`/v1/offers?merchant=${alma}&sku=stoneware-mug-sand`);
  return { hostile, mug: offers.items[0].product, ask };
}

async function story(browser, name, tell, made) {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (line) => {
    // A refusal of the API is told here too, and on the page.
    const refusal = line.text().startsWith('Failed to load resource');
    if (line.type() === 'error' && !refusal && !judged.has(page)) faults.push(line.text());
  });
  try {
    await tell(page, made);
    assert.deepEqual(faults, [], 'the page has errors');
    console.log(`ok: ${name}`);
  } catch (error) {
    const shown = await page
      .locator('main')
      .innerText()
      .catch(() => '');
    throw new Error(`${name}\n${error.message}\nThe page shows:\n${shown}\nIts errors: ${faults.join('; ')}`);
  } finally {
    await context.close();
  }
}

async function all() {
  const market = await start();
  let browser;
  try {
    // Nothing but this page is shown, and root has no sandbox.
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    const made = await things(market);
    for (const [name, tell] of Object.entries(stories)) await story(browser, name, tell, made);
    await narrow(browser, made);
    console.log('ok: 320 pixels are enough');
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
