// Where the address leads: `#/…` names a view, so that reload, back button and links work.

import { cart, onCart } from './api.js';
import { product, products } from './goods.js';
import { basket, unsubscribe } from './basket.js';
import { checkout } from './checkout.js';
import { order } from './order.js';
import { review } from './reviews.js';
import { wishes } from './wishes.js';
import { alert, focus, h, there } from './dom.js';

const VIEWS = {
  '': products,
  category: products,
  product,
  cart: basket,
  'wish-list': wishes,
  unsubscribe,
  checkout,
  order,
  review,
};
const main = document.getElementById('main');
let turn = 0;

/** Shows the view of the address. One that was overtaken by another is dropped. */
async function show(first) {
  turn += 1;
  const mine = turn;
  const [name = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  const view = VIEWS[name] ?? nothing;
  main.setAttribute('aria-busy', 'true');
  let nodes;
  try {
    nodes = there([await view(...rest.map(decode))]);
  } catch (problem) {
    const again = h('button', { type: 'button', onclick: () => show(false) }, 'Try again');
    nodes = [h('h1', {}, 'That did not work'), alert(problem.message, again)];
  }
  if (mine !== turn) return;
  main.replaceChildren(...nodes);
  main.removeAttribute('aria-busy');
  const heading = main.querySelector('h1');
  document.title = `${heading?.textContent ?? 'Goods'} · Demo Market`;
  if (first) return;
  window.scrollTo(0, 0);
  focus(main.querySelector('[data-first]') ?? main.querySelector('[data-focus]') ?? heading);
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function nothing() {
  return [h('h1', {}, 'There is no such page'), h('p', {}, h('a', { href: '#/' }, 'To the goods'))];
}

onCart((seen) => {
  const count = (seen?.lines ?? []).reduce((sum, line) => sum + line.quantity, 0);
  const open = seen && seen.status !== 'completed';
  document.getElementById('cart-link').textContent = open && count > 0 ? `Cart (${count})` : 'Cart';
});

document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  focus(main);
});
window.addEventListener('hashchange', () => show(false));
window.addEventListener('souk-show', () => show(false));
// Another tab has changed what is kept.
window.addEventListener('storage', () => cart().catch(() => null));
cart().catch(() => null);
show(true);
