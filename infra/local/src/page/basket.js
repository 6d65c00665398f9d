// The cart: quantities, what is wrong with a line, and how the total comes about.

import { cart, checkout, edit, forgetCart, orderAddress, post, restore } from './api.js';
import { alert, complain, ended, field, focus, h, money, say, words } from './dom.js';

/** The field that a code is typed into. */
const CODE = 'field-codes-add';

export async function basket(token) {
  if (token) return restored(token);
  const seen = await cart();
  if (!seen || (seen.status !== 'completed' && seen.lines.length === 0)) return empty();
  if (seen.status === 'completed') return completed();
  if (seen.status === 'locked') return [h('h1', {}, 'Your cart'), ...locked()];
  const place = h('div', { class: 'columns wide' });
  draw(place, seen);
  return [h('h1', {}, 'Your cart'), place];
}

/** From a reminder: the cart is here again, and the checkout is next. */
async function restored(token) {
  try {
    await restore(token);
  } catch (problem) {
    return ended(problem);
  }
  location.replace('#/checkout');
  return [h('h1', {}, 'Your cart')];
}

/** Out of the messages of one kind: asked first, so that whoever looks at links for others ends nothing. */
export function unsubscribe(token) {
  const told = h('div', {});
  const end = async () => {
    button.disabled = true;
    try {
      await post(`/v1/unsubscribe/${encodeURIComponent(token ?? '')}`, {});
      const text = 'You get no more reminders and offers from us.';
      told.replaceChildren(h('p', { class: 'good', role: 'status', tabindex: '-1' }, text));
      button.hidden = true;
      focus(told.firstChild);
    } catch (problem) {
      button.disabled = false;
      told.replaceChildren(alert(problem.message));
    }
  };
  const button = h('button', { type: 'button', onclick: end }, 'No more reminders and offers');
  const rest = h('p', {}, 'Word of your orders comes all the same.');
  return [h('h1', {}, 'Fewer messages'), rest, told, h('p', {}, button)];
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
  const goods = h('div', {}, lines, codes(place, seen));
  place.replaceChildren(goods, h('div', { class: 'side' }, totals(seen), stops ? wait : on));
  focus(focused && (document.getElementById(focused) ?? place.querySelector('input')));
}

/** Where a code is typed, and those that are in the cart with what each takes off, or why it does not. */
function codes(place, seen) {
  const told = h('div', {});
  const change = async (form, codes, typed) => {
    let next;
    try {
      next = await edit({ codes });
    } catch (problem) {
      if (gone(problem)) return window.dispatchEvent(new Event('souk-show'));
      const homeless = complain(form, problem);
      if (problem.errors.length === 0) told.replaceChildren(alert(problem.message));
      else if (homeless.length > 0) told.replaceChildren(alert(homeless.join('; ')));
      return undefined;
    }
    draw(place, next, CODE);
    const added = typed && next.codes.find(({ name }) => name.toLowerCase() === typed.toLowerCase());
    if (!added?.reason) return say(`Total ${money(next.totals.total)}`);
    const errors = [{ field: 'codes.add', message: `${added.name}: ${added.detail}` }];
    return complain(place.querySelector('form'), { errors });
  };
  const onsubmit = (event) => {
    event.preventDefault();
    const typed = event.target.elements['codes.add'].value.trim();
    return change(event.target, { add: [typed] }, typed);
  };
  const input = h('input', { type: 'text', autocomplete: 'off', maxlength: '64' });
  const form = h(
    'form',
    { class: 'codes', onsubmit, novalidate: true },
    field('Discount code', 'codes.add', input),
    h('button', { class: 'quiet' }, 'Use the code'),
  );
  const rows = seen.codes.map(({ name, amount, detail }) => {
    const out = h('button', { type: 'button', class: 'quiet' }, 'Take out');
    out.setAttribute('aria-label', `Take out the code ${name}`);
    out.addEventListener('click', () => change(form, { remove: [name] }));
    const state = detail ? h('span', { class: 'error' }, detail) : h('span', {}, less(amount));
    return h('li', {}, h('span', {}, h('span', { class: 'name' }, name), ' ', state), out);
  });
  const list = rows.length > 0 && h('ul', { class: 'why', 'aria-label': 'Codes in the cart' }, rows);
  return h('section', { 'aria-label': 'Discounts' }, form, told, list);
}

/** What is taken off, with its sign. */
function less({ amount, currency }) {
  return money({ amount: Number(amount) === 0 ? amount : `-${amount}`, currency });
}

/** Whether the cart is no more what this page shows. */
function gone({ status, code }) {
  return status === 404 || code === 'cart_completed' || code === 'payment_in_flight';
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
      if (gone(problem)) return window.dispatchEvent(new Event('souk-show'));
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
export function totals({ totals: sums, prices, explanation, codes: typed, agreements }) {
  const pair = (name, amount, strong) => {
    const shown = typeof amount === 'string' ? amount : money(amount);
    return h('div', { class: strong && 'strong' }, h('dt', {}, name), h('dd', {}, shown));
  };
  const isThere = ({ amount }) => Number(amount) !== 0;
  const off = [...agreements, ...typed].filter(({ amount }) => amount && isThere(amount));
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
      pair('Delivery', sums.delivery),
      off.map(({ name, amount }) => pair(`Discount ${name}`, less(amount))),
      pair(prices === 'included' ? 'Tax, included' : 'Tax', sums.tax),
      pair('Total', sums.total, true),
    ),
    h('details', {}, h('summary', {}, 'How the total comes about'), h('ul', { class: 'why' }, why)),
  );
}
