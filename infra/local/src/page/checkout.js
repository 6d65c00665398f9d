// The checkout: steps in any order, as the API says what is missing; then the payment and its outcome.

import { cart, checkout as call, edit, forgetCart, orderAddress } from './api.js';
import { completed, totals } from './basket.js';
import { alert, complain, date, field, focus, h, money, say, words } from './dom.js';

const STEPS = { contact: 'Contact', address: 'Address', delivery: 'Delivery', payment: 'Payment' };
const FORMS = { contact, address, delivery, payment };
const COUNTRIES = { DE: 'Germany', AT: 'Austria', FR: 'France', NL: 'Netherlands', CH: 'Switzerland' };
const card = (token) => [{ method: 'card', token }];
// What the sandbox's tokens play; a real shop has its gateway's own form here.
const MEANS = [
  ['Card that is approved', card('tok_approved')],
  ['Card that is declined: insufficient funds', card('tok_declined_insufficient_funds')],
  ['Card whose bank asks you to confirm', card('tok_action')],
  ['Card whose answer is lost on the way, but approved', card('tok_timeout_approved')],
  ['Card whose charge never reaches the bank', card('tok_timeout_lost')],
  [
    'Voucher of 20.00, the rest by card',
    [{ method: 'voucher', token: 'tok_voucher_2000' }, ...card('tok_approved')],
  ],
  ['Bank transfer', [{ method: 'bank_transfer' }]],
];
/** Told at the next look at the payment. */
let notice = '';

function show() {
  window.dispatchEvent(new Event('souk-show'));
}

/** Leads on; the same address is shown anew. */
function go(hash) {
  if (location.hash === hash) show();
  else location.hash = hash;
}

/** Where a checkout goes on after a refusal that is about the cart itself; true if it went. */
function moved(problem) {
  const gone = problem.status === 404 || ['cart_completed', 'payment_in_flight'].includes(problem.code);
  if (gone) go('#/checkout');
  return gone;
}

export async function checkout(asked) {
  const seen = await cart();
  if (seen?.status === 'completed') return completed();
  if (seen?.status === 'locked') {
    const stands = await call();
    if (stands.status !== 'open') return waiting(stands);
  }
  if (!seen || seen.lines.length === 0) {
    const to = h('a', { href: '#/' }, 'Look at the goods');
    return [h('h1', {}, 'Checkout'), h('p', {}, 'There is nothing in your cart. ', to)];
  }
  const open = seen.unmet.map(({ step }) => step);
  const step = STEPS[asked] ? asked : (Object.keys(STEPS).find((name) => open.includes(name)) ?? 'payment');
  const stops =
    open.includes('cart') && alert('Something in the cart cannot be ordered as it is. ', toCart());
  const form = await FORMS[step](seen);
  return [
    h('h1', {}, 'Checkout'),
    progress(step, open),
    stops,
    h(
      'div',
      { class: 'columns wide' },
      h(
        'section',
        { 'aria-labelledby': 'step' },
        h('h2', { id: 'step', 'data-focus': true }, STEPS[step]),
        form,
      ),
      h('div', { class: 'side' }, totals(seen), h('p', {}, toCart())),
    ),
  ];
}

function toCart() {
  return h('a', { href: '#/cart' }, 'Change the cart');
}

function progress(current, open) {
  const item = ([step, name]) => {
    const done = !open.includes(step);
    const state = done ? 'done' : 'missing';
    const link = h('a', { href: `#/checkout/${step}`, 'aria-current': step === current && 'step' }, name);
    link.append(h('span', { class: 'hint' }, state));
    return h('li', { class: state }, link);
  };
  return h('nav', { 'aria-label': 'Steps' }, h('ol', { class: 'steps' }, Object.entries(STEPS).map(item)));
}

/** A form that is an edit of the cart. */
function editing(fields, label, change) {
  const told = h('div', {});
  const button = h('button', {}, label);
  const onsubmit = async (event) => {
    event.preventDefault();
    const form = event.target;
    button.disabled = true;
    told.replaceChildren();
    try {
      const next = await edit(change(new FormData(form)));
      complain(form, null);
      say(`Total ${money(next.totals.total)}`);
      const step = Object.keys(STEPS).find((name) => next.unmet.some((unmet) => unmet.step === name));
      go(`#/checkout/${step ?? 'payment'}`);
    } catch (problem) {
      if (moved(problem)) return;
      const rest = complain(form, problem);
      if (rest.length > 0 || problem.errors.length === 0) {
        told.replaceChildren(alert(rest.join('; ') || problem.message));
        focus(told.firstChild);
      }
    } finally {
      button.disabled = false;
    }
  };
  return h('form', { onsubmit, novalidate: true }, fields, told, button);
}

/** Members that say something. */
function said(entries) {
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function input(type, autocomplete, value) {
  return h('input', { type, autocomplete, value });
}

function contact({ contact: known = {} }) {
  const fields = [
    field(
      'E-mail',
      'contact.email',
      input('email', 'email', known.email),
      'How to reach you about the order.',
    ),
    field('Phone, if the parcel needs it', 'contact.phone', input('tel', 'tel', known.phone)),
    h(
      'div',
      { class: 'tick' },
      h('input', { type: 'checkbox', id: 'marketing', name: 'marketing', checked: Boolean(known.marketing_since) }),
      h('label', { for: 'marketing' }, 'Remind me of this cart and send me offers. I can end that at any time.'),
    ),
  ];
  return editing(fields, 'Save the contact', (data) => {
    const reached = said([
      ['email', data.get('contact.email')],
      ['phone', data.get('contact.phone')],
      ['time_zone', Intl.DateTimeFormat().resolvedOptions().timeZone ?? ''],
    ]);
    return { contact: { ...reached, marketing: data.has('marketing') } };
  });
}

function address({ address: known, destination }) {
  const at = known ?? { country: destination.country, lines: [] };
  const countries = Object.entries(COUNTRIES).map(([code, name]) => {
    return h('option', { value: code, selected: code === at.country }, name);
  });
  const fields = [
    field('Name', 'address.name', input('text', 'name', at.name)),
    field('Street and number', 'address.lines', input('text', 'address-line1', at.lines[0])),
    field('Addition', 'address.more', input('text', 'address-line2', at.lines[1])),
    field('Postal code', 'address.postal_code', input('text', 'postal-code', at.postal_code)),
    field('City', 'address.city', input('text', 'address-level2', at.city)),
    field('Country', 'address.country', h('select', { autocomplete: 'country' }, countries)),
  ];
  return editing(fields, 'Save the address', (data) => {
    const of = (name) => data.get(`address.${name}`);
    const rest = said(['postal_code', 'city'].map((name) => [name, of(name)]));
    const lines = [of('lines'), of('more')].filter((line) => line !== '');
    return { address: { country: of('country'), name: of('name'), lines, ...rest } };
  });
}

function days(earliest, latest) {
  return earliest === latest ? date(earliest) : `${date(earliest)} to ${date(latest)}`;
}

function delivery({ parts, address: known }) {
  const way = (part) => {
    const name = `delivery-${part.merchant}`;
    const option = ({ service, price, earliest, latest }) => {
      const id = `${name}-${service}`;
      const checked = service === (part.delivery ?? part.options[0].service);
      return h(
        'li',
        {},
        h('input', { type: 'radio', name: part.merchant, id, value: service, checked }),
        h(
          'label',
          { for: id },
          h('span', { class: 'name' }, words(service)),
          h('span', { class: 'hint' }, days(earliest, latest)),
          h('span', { class: 'price' }, money(price)),
        ),
      );
    };
    const none =
      part.options.length === 0 && h('p', { class: 'error' }, part.reason ?? 'It cannot be brought there.');
    const options = h('ul', { class: 'choices' }, part.options.map(option));
    return h('fieldset', {}, h('legend', {}, `From ${part.name ?? part.merchant}`), none || options);
  };
  const hint = !known && h('p', { class: 'hint' }, 'Without an address, this is what the country has.');
  return editing([hint, parts.map(way)], 'Save the delivery', (data) => {
    return { delivery: [...data.entries()].map(([merchant, service]) => ({ merchant, service })) };
  });
}

async function payment(seen) {
  let held = seen;
  try {
    held = await call('hold');
  } catch (problem) {
    if (moved(problem)) return [];
    throw problem;
  }
  const missing = held.unmet.map(({ step }) => step).filter((step) => step !== 'payment');
  const links = [...new Set(missing)].map((step) => {
    const to = step === 'cart' ? '#/cart' : `#/checkout/${step}`;
    return h('li', {}, h('a', { href: to }, STEPS[step] ?? 'Cart'));
  });
  const option = ([label], at) => {
    const input = h('input', {
      type: 'radio',
      name: 'means',
      id: `means-${at}`,
      value: at,
      checked: at === 0,
    });
    return h('li', {}, input, h('label', { for: `means-${at}` }, h('span', { class: 'name' }, label)));
  };
  const told = h('div', { 'data-first': notice !== '' }, notice && alert(notice));
  notice = '';
  const nothing = Number(held.total.amount) === 0;
  const button = h('button', {}, nothing ? 'Place the order' : `Pay ${money(held.total)}`);
  const onsubmit = async (event) => {
    event.preventDefault();
    const means = nothing ? [] : MEANS[Number(new FormData(event.target).get('means'))][1];
    button.disabled = true;
    told.replaceChildren(h('p', { role: 'status' }, nothing ? 'One moment.' : 'One moment, the gateway is asked.'));
    await outcome(() => call('pay', { expected_total: held.total, payments: means }), told);
    button.disabled = false;
  };
  const hint =
    'These are test tokens of the sandbox, which play what a bank may say. No card number is typed here.';
  return h(
    'form',
    { onsubmit },
    links.length > 0 && h('div', { class: 'alert' }, h('p', {}, 'Still missing:'), h('ul', {}, links)),
    nothing
      ? h('p', {}, 'There is nothing to pay.')
      : h(
          'fieldset',
          {},
          h('legend', {}, 'How to pay'),
          h('p', { class: 'hint' }, hint),
          h('ul', { class: 'choices' }, MEANS.map(option)),
        ),
    told,
    button,
  );
}

/** What a payment has come to. */
async function outcome(ask, told) {
  try {
    const { status, order } = await ask();
    if (status !== 'completed') {
      say('The outcome is not known yet.');
      return go('#/checkout');
    }
    forgetCart();
    return go(orderAddress(order.page));
  } catch (problem) {
    if (moved(problem)) return undefined;
    if (problem.code === 'payment_declined') {
      const why = problem.body.decline ? ` (${words(problem.body.decline.code)})` : '';
      notice = `The payment did not go through${why}. Nothing was charged: try another way.`;
      return go('#/checkout/payment');
    }
    if (problem.code === 'cart_changed') {
      notice = 'The total has changed meanwhile: look at it again. Nothing was charged.';
      return go('#/checkout/payment');
    }
    told.replaceChildren(alert(problem.message));
    return focus(told.firstChild);
  }
}

/** The outcome is not known yet. */
function waiting({ status, payments }) {
  const asked = status === 'requires_action';
  const told = h('div', {});
  const button = h('button', { type: 'button' }, 'Ask again');
  button.addEventListener('click', async () => {
    button.disabled = true;
    await outcome(() => call('confirm'), told);
    button.disabled = false;
  });
  const rows = payments.map(({ method, amount, status: stands }) => {
    return h('li', {}, h('span', {}, `${words(method)}: ${words(stands)}`), h('span', {}, money(amount)));
  });
  return h(
    'section',
    { class: 'order' },
    h('h1', {}, asked ? 'Your bank asks you to confirm' : 'We do not know yet'),
    h(
      'p',
      {},
      asked
        ? 'The payment goes on as soon as the bank has heard from you.'
        : 'The bank has not answered. Your goods are kept for you, and nothing is charged twice.',
    ),
    h('ul', { class: 'why' }, rows),
    asked && payments.filter(({ action_url: url }) => url).map(playing),
    told,
    button,
  );
}

/** The sandbox has no page of a bank; only an operator may play the customer there. */
function playing({ id }) {
  const line = (said) =>
    [
      `curl -s ${location.origin}/v1/gateways/sandbox/tell`,
      '  -H "Authorization: Bearer $KEY"',
      `  -H "Idempotency-Key: ${said}-${id}"`,
      '  -H "Content-Type: application/json"',
      `  -d '{"payment": "${id}", "said": "${said}"}'`,
    ].join(' \\\n');
  return h(
    'div',
    {},
    h(
      'p',
      {},
      'A real shop leads to the bank now. The sandbox has no such page: an operator plays the customer, ',
      'with the key that cargo souk has printed, and confirms or declines.',
    ),
    h('pre', { tabindex: '0', 'aria-label': 'To confirm' }, line('confirm')),
    h('pre', { tabindex: '0', 'aria-label': 'To decline' }, line('decline')),
  );
}
