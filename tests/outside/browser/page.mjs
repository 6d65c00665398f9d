// What is done and asked on a page, whatever it shows.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { SHOP, until } from './market.mjs';

const { SHOTS } = process.env;
let shots = 0;
/** Pages whose console is not listened to at the moment. */
export const judged = new Set();

const modules = createRequire(join(resolve(process.argv[3]), '/'));
const AXE = await readFile(modules.resolve('axe-core/axe.min.js'), 'utf8');
export const { chromium } = modules('playwright-core');

/** Waits for what a function answers in the page; Playwright's own way of waiting is forbidden by the page's policy. */
export function so(page, test, ...words) {
  return until(String(test), () => page.evaluate(test, ...words), 15);
}

/** A picture, if they are wanted, and axe-core's judgment. */
export async function look(page, name) {
  await so(page, () => !document.querySelector('main[aria-busy]'));
  if (SHOTS) {
    shots += 1;
    const path = join(SHOTS, `${String(shots).padStart(2, '0')}-${name}.png`);
    await page.bringToFront();
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

export const heading = (page, name) => page.getByRole('heading', { name, exact: true }).waitFor();
export const press = (page, name) => page.getByRole('button', { name }).click();
export const alertSays = async (page, text) => {
  await page.getByRole('alert').filter({ hasText: text }).waitFor();
};
/** Focus follows what is shown, for who cannot see it. */
export const focusIsOn = async (page, text) => {
  await so(page, (text) => document.activeElement?.textContent === text, text);
};

export const focusOf = async (page, id) => {
  await so(page, (id) => document.activeElement?.id === id, id);
};

export async function put(page, product) {
  await page.goto(`${SHOP}/#/product/${product}`);
  await press(page, 'Put into the cart');
  await page.getByText('It lies in your cart.').waitFor();
}

/** From an empty cart to the choice of payment. */
export async function ready(page, product, email = 'ines@post.example') {
  await put(page, product);
  await page.goto(`${SHOP}/#/checkout`);
  await page.getByLabel('E-mail').fill(email);
  await press(page, 'Save the contact');
  await page.getByLabel('Name', { exact: true }).fill('Ines Groß');
  await page.getByLabel('Street and number').fill('Lindenweg 5');
  await page.getByLabel('Postal code').fill('10969');
  await page.getByLabel('City').fill('Berlin');
  await press(page, 'Save the address');
  await press(page, 'Save the delivery');
  await heading(page, 'Payment');
}

export async function pay(page, means) {
  await page.getByLabel(means).check();
  await press(page, /^Pay /);
}

/** By the Tab key alone to what a test finds focused; where that is can be seen. */
async function tabTo(page, test, name) {
  for (let presses = 0; presses < 120; presses += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(test)) {
      const seen = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
      assert.notEqual(seen, 'none', `${name}: the focus is seen`);
      return;
    }
  }
  throw new Error(`${name}: the Tab key does not lead there`);
}

const focused = (tag, how) => `document.activeElement.tagName === '${tag}' && document.activeElement.${how}`;
export const tab = {
  to: tabTo,
  toButton: (page, name) =>
    tabTo(page, focused('BUTTON', `textContent.startsWith(${JSON.stringify(name)})`), name),
  toField: (page, id) => tabTo(page, `document.activeElement.id === ${JSON.stringify(id)}`, id),
  toLink: (page, name) => tabTo(page, focused('A', `textContent === ${JSON.stringify(name)}`), name),
};
