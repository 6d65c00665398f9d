// The API as a guest calls it: a publishable key, a cart that is known by its id, and problems as answers.

const KEY = document.querySelector('meta[name="souk-key"]').content;
const CART = 'souk-cart';
const WISHES = 'souk-wishes';

/** A refusal in the words of the API. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? `The shop answered ${status}.`);
    Object.assign(this, { status, code: body.code ?? '', errors: body.errors ?? [], body });
  }
}

async function call(method, path, body) {
  const headers = { 'Souk-Key': KEY };
  if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    // The same for every try, so that what is sent twice happens once.
    headers['Idempotency-Key'] = crypto.randomUUID();
  }
  for (let tries = 1; ; tries += 1) {
    let answer;
    try {
      answer = await fetch(path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new Problem(0, { code: 'offline', detail: 'The shop cannot be reached. Is it still running?' });
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.ok) return told;
    if (answer.status !== 503 || tries === 3) throw new Problem(answer.status, told);
  }
}

export const get = (path) => call('GET', path);
export const post = (path, body) => call('POST', path, body);

const listeners = new Set();

/** Called with each cart that is seen. */
export function onCart(listener) {
  listeners.add(listener);
}

function seen(cart) {
  for (const listener of listeners) listener(cart);
  return cart;
}

// Kept for this page alone where the browser keeps nothing.
const unkept = {};

function kept(name) {
  try {
    return localStorage.getItem(name) ?? unkept[name] ?? null;
  } catch {
    return unkept[name] ?? null;
  }
}

function keep(name, id) {
  unkept[name] = id;
  try {
    if (id === null) localStorage.removeItem(name);
    else localStorage.setItem(name, id);
  } catch {
    // It is kept above.
  }
}

export const cartId = () => kept(CART);

export function forgetCart() {
  keep(CART, null);
  seen(null);
}

/** The cart; none if there is none, or the one that was known has gone. */
export async function cart() {
  const id = cartId();
  if (id === null) return seen(null);
  try {
    return seen(await get(`/v1/carts/${encodeURIComponent(id)}`));
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    forgetCart();
    return null;
  }
}

/** The cart of a reminder's link: from now on it is this browser's. */
export async function restore(token) {
  const opened = await post(`/v1/cart-links/${encodeURIComponent(token)}`, {});
  keep(CART, opened.id);
  return seen(opened);
}

export async function edit(change) {
  return seen(await post(`/v1/carts/${encodeURIComponent(cartId())}/edit`, change));
}

/** Adds an offer. A cart that has gone, or has become an order, is followed by a new one. */
export async function add(offer, quantity) {
  const change = { add: [{ offer, quantity }] };
  if (cartId() !== null) {
    try {
      return await edit(change);
    } catch (problem) {
      if (problem.status !== 404 && problem.code !== 'cart_completed') throw problem;
    }
  }
  await open();
  return edit(change);
}

async function open() {
  const opened = await post('/v1/carts', { country: 'DE' });
  keep(CART, opened.id);
}

const wishesPath = () => `/v1/wish-lists/${encodeURIComponent(kept(WISHES))}`;

/** This browser's wish list; none if there is none, or the one that was known has gone. */
export async function wishList() {
  if (kept(WISHES) === null) return null;
  try {
    return await get(wishesPath());
  } catch (problem) {
    if (problem.status !== 404) throw problem;
    keep(WISHES, null);
    return null;
  }
}

/** Keeps an offer for later. */
export async function wish(offer, quantity) {
  if ((await wishList()) === null) keep(WISHES, (await post('/v1/wish-lists', { name: 'Wish list' })).id);
  return post(`${wishesPath()}/edit`, { add: [{ offer, quantity }] });
}

/** A change of the wish list: `edit`, `share`, `unshare`. */
export const changeWishes = (word, body = {}) => post(`${wishesPath()}/${word}`, body);

/** Moves a thing of the wish list into the cart, which is opened where there is none. */
export async function wishToCart(item) {
  const there = await cart();
  if (!there || there.status === 'completed') await open();
  const left = await changeWishes('to-cart', { cart: cartId(), items: [item] });
  await cart();
  return left;
}

/** A call of the checkout: `hold`, `pay`, `confirm`; without a word, where it stands. */
export function checkout(word, body = {}) {
  const path = `/v1/checkouts/${encodeURIComponent(cartId())}`;
  return word ? post(`${path}/${word}`, body) : get(path);
}

/** The page's own address of an order, from the link that the API gives. */
export function orderAddress(link) {
  const { pathname, searchParams } = new URL(link, location.origin);
  const order = pathname.split('/').pop();
  return `#/order/${encodeURIComponent(order)}/${encodeURIComponent(searchParams.get('signature'))}`;
}
