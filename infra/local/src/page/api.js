// The API as a guest calls it: a publishable key, a cart that is known by its id, and problems as answers.

const KEY = document.querySelector('meta[name="souk-key"]').content;
const CART = 'souk-cart';

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
let unkept = null;

export function cartId() {
  try {
    return localStorage.getItem(CART) ?? unkept;
  } catch {
    return unkept;
  }
}

function keep(id) {
  unkept = id;
  try {
    if (id === null) localStorage.removeItem(CART);
    else localStorage.setItem(CART, id);
  } catch {
    // It is kept above.
  }
}

export function forgetCart() {
  keep(null);
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
  keep(opened.id);
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
  const opened = await post('/v1/carts', { country: 'DE' });
  keep(opened.id);
  return edit(change);
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
