// The wish list: what is kept for later, moved into the cart, and shown to others by a link.

import { changeWishes, get, wishList, wishToCart } from './api.js';
import { alert, ended, focus, h, money, say, words } from './dom.js';

export async function wishes(token) {
  if (token) return shared(token);
  const place = h('div', {});
  draw(place, await wishList());
  return [h('h1', {}, 'Wish list'), place];
}

/** One that somebody else shows: to look at, and to choose from. */
async function shared(token) {
  let list;
  try {
    list = await get(`/v1/shared-wish-lists/${encodeURIComponent(token)}`);
  } catch (problem) {
    return ended(problem);
  }
  const rows = list.items.map((item) => h('li', {}, what(item), price(item)));
  const told = h('p', { class: 'hint' }, 'Somebody shows you what they wish for.');
  return [h('h1', {}, list.name), told, rows.length > 0 ? h('ul', { class: 'lines' }, rows) : nothing()];
}

function nothing() {
  return h('p', {}, 'There is nothing on it yet. ', h('a', { href: '#/' }, 'Look at the goods'));
}

function named({ title }) {
  return title ?? 'Not for sale any more';
}

function what(item) {
  const { quantity, product, notices } = item;
  const link = product ? h('a', { href: `#/product/${product}` }, named(item)) : named(item);
  const told = notices.length > 0 && h('p', { class: 'hint' }, notices.map(words).join(', '));
  return h('div', {}, h('p', { class: 'name' }, link, quantity > 1 && ` × ${quantity}`), told);
}

function price({ price: now }) {
  return h('p', { class: 'price' }, now && money(now));
}

function draw(place, list, link) {
  if (!list || list.items.length === 0) {
    place.replaceChildren(nothing());
    return;
  }
  const rows = h(
    'ul',
    { class: 'lines' },
    list.items.map((item) => row(place, item)),
  );
  place.replaceChildren(rows, sharing(place, list, link));
}

function row(place, item) {
  const told = h('div', {});
  const change = (call, text) => async () => {
    try {
      draw(place, await call());
      say(text);
      focus(place.querySelector('button') ?? place.querySelector('a'));
    } catch (problem) {
      told.replaceChildren(alert(problem.errors[0]?.message ?? problem.message));
    }
  };
  const into = change(() => wishToCart(item.item), `${named(item)} lies in your cart.`);
  const out = change(() => changeWishes('edit', { remove: [item.item] }), `${named(item)} is off the list.`);
  const button = (label, name, onclick, style) => {
    return h('button', { type: 'button', class: style, 'aria-label': name, onclick }, label);
  };
  return h(
    'li',
    {},
    what(item),
    h(
      'div',
      { class: 'row' },
      button('Into the cart', `Into the cart: ${named(item)}`, into, false),
      button('Take out', `Take out ${named(item)}`, out, 'quiet'),
    ),
    price(item),
    told,
  );
}

/** A link for others; another one ends the one before, and it is shown only when it is made. */
function sharing(place, list, link) {
  const told = h('div', {});
  const tried = (call) => async () => {
    try {
      await call();
    } catch (problem) {
      told.replaceChildren(alert(problem.message));
    }
  };
  const share = tried(async () => {
    const { token, url } = await changeWishes('share');
    draw(place, { ...list, shared: true }, url ?? `${location.origin}/#/wish-list/${token}`);
    focus(document.getElementById('wish-link'));
    document.getElementById('wish-link').select();
  });
  const close = tried(async () => {
    draw(place, await changeWishes('unshare'));
    say('Nobody else sees the list any more.');
    focus(document.getElementById('sharing'));
  });
  const shown = h('input', { type: 'text', id: 'wish-link', readonly: true, value: link });
  const label = h('label', { for: 'wish-link' }, 'Whoever has this link sees the list');
  const quiet = { type: 'button', class: 'quiet' };
  return h(
    'section',
    { 'aria-labelledby': 'sharing' },
    h('h2', { id: 'sharing' }, 'Show it to others'),
    link
      ? h('div', { class: 'field' }, label, shown)
      : list.shared && h('p', {}, 'Whoever has its link sees the list.'),
    h(
      'div',
      { class: 'row' },
      h('button', { ...quiet, onclick: share }, list.shared ? 'Make another link' : 'Make a link'),
      list.shared && h('button', { ...quiet, onclick: close }, 'Close the link'),
    ),
    told,
  );
}
