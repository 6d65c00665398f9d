// The catalog: pages of goods, and one product with who sells it.

import { add, get, wish } from './api.js';
import { alert, focus, h, money, say } from './dom.js';
import { gallery, picture } from './pictures.js';
import { reviews } from './reviews.js';

/** A calm square in the place of a picture. */
function tile(title) {
  const hue = [...title].reduce((sum, letter) => (sum + letter.codePointAt(0)) % 6, 0);
  return h('span', { class: `tile hue-${hue}`, 'aria-hidden': 'true' }, [...title][0] ?? '');
}

async function categories() {
  const found = [];
  let next = null;
  do {
    const page = await get(`/v1/shop/categories?limit=100${next ? `&cursor=${next}` : ''}`);
    found.push(...page.items);
    next = page.next;
  } while (next);
  return found;
}

/** Below its parent, in the order of names. */
function shelves(all, current) {
  const link = ({ handle, name }) => {
    const here = handle === current;
    return h('a', { href: `#/category/${handle}`, 'aria-current': here && 'page' }, name);
  };
  const below = (parent) =>
    all.filter((one) => one.parent === parent).sort((a, b) => a.name.localeCompare(b.name));
  const list = (parent) => {
    const items = below(parent);
    return (
      items.length > 0 &&
      h(
        'ul',
        {},
        items.map((one) => h('li', {}, title(one), list(one.handle))),
      )
    );
  };
  // A shelf lists what lies on it, not what lies on those below.
  const title = (one) => (below(one.handle).length > 0 ? h('span', {}, one.name) : link(one));
  return h(
    'nav',
    { class: 'shelves', 'aria-label': 'Categories' },
    h('ul', {}, h('li', {}, h('a', { href: '#/', 'aria-current': !current && 'page' }, 'Everything'))),
    list(undefined),
  );
}

export async function products(category) {
  const path = `/v1/shop/products?limit=24${category ? `&category=${encodeURIComponent(category)}` : ''}`;
  const [all, first] = await Promise.all([categories(), get(path)]);
  const known = all.find((one) => one.handle === category);
  const list = h('ul', { class: 'goods' });
  const more = h('button', { type: 'button', class: 'quiet' }, 'Show more');
  let next = null;
  const put = (page) => {
    const rows = page.items.map(row);
    list.append(...rows);
    next = page.next;
    more.hidden = !next;
    return rows[0];
  };
  more.addEventListener('click', async () => {
    more.disabled = true;
    try {
      focus(put(await get(`${path}&cursor=${next}`))?.querySelector('a'));
    } catch (problem) {
      say(problem.message);
    }
    more.disabled = false;
  });
  put(first);
  const empty = first.items.length === 0 && !first.next && h('p', {}, 'Nothing lies here yet.');
  return [
    h('h1', {}, known?.name ?? 'Goods'),
    h('div', { class: 'columns' }, shelves(all, category), h('div', {}, empty, list, more)),
  ];
}

/** What the picture shows is said beside it. */
function front(title, cover) {
  if (!cover) return tile(title);
  return h('span', { class: 'front' }, picture(cover, '', '(max-width: 46rem) 45vw, 11rem', true));
}

function row({ id, title, variants, cover }) {
  const choice = variants > 1 && h('span', { class: 'hint' }, `${variants} variants`);
  return h(
    'li',
    {},
    h('a', { href: `#/product/${id}` }, front(title, cover), h('span', { class: 'name' }, title), choice),
  );
}

export async function product(id) {
  const shown = await get(`/v1/shop/products/${encodeURIComponent(id)}`);
  const { title, description, axes, variants, media } = shown;
  const sold = variants.filter((variant) => variant.offers.length > 0);
  const article = h(
    'article',
    { class: 'product' },
    media.length > 0 ? gallery(media, title) : tile(title),
    h(
      'div',
      {},
      h('h1', {}, title),
      description && h('p', { class: 'description' }, description),
      sold.length > 0 ? choose(axes, sold) : h('p', {}, 'Nobody sells this at the moment.'),
      h('p', {}, h('a', { href: '#/' }, 'Back to the goods')),
    ),
  );
  return [article, await reviews(id)];
}

/** One offer of one variant, and how many of it. */
function choose(axes, sold) {
  const offers = sold.flatMap((variant) => variant.offers.map((offer) => ({ variant, offer })));
  const first = offers.find(({ offer }) => offer.available);
  const option = ({ variant, offer }) => {
    const id = `offer-${offer.id}`;
    const input = h('input', {
      type: 'radio',
      name: 'offer',
      id,
      value: offer.id,
      checked: offer.id === first?.offer.id,
      disabled: !offer.available,
    });
    return h(
      'li',
      {},
      input,
      h(
        'label',
        { for: id },
        h('span', { class: 'name' }, variant.values.join(', ') || 'One kind'),
        h('span', { class: 'hint' }, `sold by ${offer.merchant_name}`),
        h('span', { class: 'price' }, money(offer.price)),
        !offer.available && h('span', { class: 'hint' }, 'sold out'),
      ),
    );
  };
  const quantity = h('input', {
    type: 'number',
    id: 'quantity',
    min: '1',
    max: '99',
    value: '1',
    required: true,
  });
  const button = h('button', { disabled: !first }, 'Put into the cart');
  const later = h('button', { type: 'button', class: 'quiet', disabled: !first }, 'Keep for later');
  const told = h('div', {});
  const put = async (form, pressed, call, text, to) => {
    pressed.disabled = true;
    try {
      await call(new FormData(form).get('offer'), Number(quantity.value));
      told.replaceChildren(h('p', { class: 'good', role: 'status' }, `${text} `, to));
    } catch (problem) {
      told.replaceChildren(alert(problem.errors[0]?.message ?? problem.message));
    }
    pressed.disabled = false;
  };
  const onsubmit = (event) => {
    event.preventDefault();
    const to = h('a', { href: '#/cart' }, 'Go to the cart');
    return put(event.target, button, add, 'It lies in your cart.', to);
  };
  later.addEventListener('click', () => {
    const to = h('a', { href: '#/wish-list' }, 'Go to the wish list');
    if (later.form.reportValidity()) put(later.form, later, wish, 'It is on your wish list.', to);
  });
  return h(
    'form',
    { onsubmit },
    h(
      'fieldset',
      {},
      h('legend', {}, axes.join(', ') || 'Offers'),
      h('ul', { class: 'choices' }, offers.map(option)),
    ),
    h('div', { class: 'row' }, h('label', { for: 'quantity' }, 'Quantity'), quantity, button, later),
    told,
  );
}
