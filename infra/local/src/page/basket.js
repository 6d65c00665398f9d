// The cart: quantities, what is wrong with a line, and how the total comes about.

import { cart, checkout, edit, forgetCart, orderAddress } from './api.js';
import { alert, focus, h, money, say, words } from './dom.js';

export async function basket() {
  const seen = await cart();
  if (!seen || (seen.status !== 'completed' && seen.lines.length === 0)) return empty();
  if (seen.status === 'completed') return completed();
  if (seen.status === 'locked') return [h('h1', {}, 'Your cart'), ...locked()];
  const place = h('div', { class: 'columns wide' });
  draw(place, seen);
  return [h('h1', {}, 'Your cart'), place];
}

function empty() {
  return [h('h1', {}, 'Your cart'), h('p', {}, 'It is empty. ', h('a', { href: '#/' }, 'Look at the goods'))];
}

/** The cart has become its order: it can be looked at, and the next one begins. */
export async function completed() {
  const { order } = await checkout();
  forgetCart();
  return [
    h('h1', {}, 'This cart is ordered'),
    h('p', {}, h('a', { href: orderAddress(order.page) }, 'Look at the order')),
    h('p', {}, h('a', { href: '#/' }, 'Begin another cart')),
  ];
}

export function locked() {
  return [
    h('p', {}, 'A payment for it is on its way, so it stays as it is.'),
    h('p', {}, h('a', { class: 'button', href: '#/checkout' }, 'See how the payment stands')),
  ];
}

function draw(place, seen, focused) {
  const lines = h(
    'ul',
    { class: 'lines' },
    seen.lines.map((line) => row(place, seen, line)),
  );
  const stops = seen.unmet.some(({ step }) => step === 'cart');
  const on = h('a', { class: 'button', href: '#/checkout' }, 'To the checkout');
  const wait = h('p', { class: 'hint' }, 'Change the lines with a problem first.');
  place.replaceChildren(lines, h('div', { class: 'side' }, totals(seen), stops ? wait : on));
  focus(focused && (document.getElementById(focused) ?? place.querySelector('input')));
}

function row(place, seen, line) {
  const title = line.title ?? 'No longer sold';
  const id = `line-${line.line}`;
  const part = seen.parts.find(({ merchant }) => merchant === line.merchant);
  const told = h('div', {});
  const change = async (quantity, focused) => {
    try {
      const next = await edit({ set: [{ line: line.line, quantity }] });
      if (next.lines.length === 0) return window.dispatchEvent(new Event('souk-show'));
      draw(place, next, focused);
      say(`Total ${money(next.totals.total)}`);
    } catch (problem) {
      if (
        problem.status === 404 ||
        problem.code === 'cart_completed' ||
        problem.code === 'payment_in_flight'
      ) {
        return window.dispatchEvent(new Event('souk-show'));
      }
      told.replaceChildren(alert(problem.errors[0]?.message ?? problem.message));
    }
    return undefined;
  };
  const input = h('input', { type: 'number', id, min: '0', max: '999', value: line.quantity });
  input.addEventListener('change', () => input.reportValidity() && change(Number(input.value), id));
  const out = h('button', { type: 'button', class: 'quiet', onclick: () => change(0, '') }, 'Take out');
  out.setAttribute('aria-label', `Take out ${title}`);
  const problems = line.problems.map(({ code, detail }) => {
    return h('p', { class: code === 'price_changed' ? 'hint' : 'error' }, detail);
  });
  return h(
    'li',
    {},
    h('div', {}, h('p', { class: 'name' }, title), h('p', { class: 'hint' }, part?.name ?? '')),
    h('div', { class: 'row' }, h('label', { for: id, class: 'unseen' }, `Quantity of ${title}`), input, out),
    h('p', { class: 'price' }, money(line.total)),
    problems.length > 0 && h('div', { class: 'problems' }, problems),
    told,
  );
}

/** What it costs; read out again whenever it changes. */
export function totals({ totals: sums, prices, explanation }) {
  const pair = (name, amount, strong) => {
    return h('div', { class: strong && 'strong' }, h('dt', {}, name), h('dd', {}, money(amount)));
  };
  const isThere = ({ amount }) => Number(amount) !== 0;
  const why = explanation.map(({ detail, code, amount }) => {
    return h('li', {}, h('span', {}, detail || words(code)), h('span', {}, money(amount)));
  });
  return h(
    'section',
    { class: 'totals', 'aria-label': 'What it costs' },
    h(
      'dl',
      {},
      pair('Goods', sums.items),
      isThere(sums.discount) && pair('Discount', sums.discount),
      pair('Delivery', sums.delivery),
      pair(prices === 'included' ? 'Tax, included' : 'Tax', sums.tax),
      pair('Total', sums.total, true),
    ),
    h('details', {}, h('summary', {}, 'How the total comes about'), h('ul', { class: 'why' }, why)),
  );
}
