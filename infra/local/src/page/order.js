// An order by its signed link: what was bought, what it costs, where it is.

import { get } from './api.js';
import { date, h, money, words } from './dom.js';

const STANDS = {
  awaiting_payment: 'We wait for the payment.',
  paid: 'It is paid. Thank you!',
  canceled: 'It is canceled.',
};

export async function order(id, signature) {
  const path = `/v1/order-pages/${encodeURIComponent(id)}?signature=${encodeURIComponent(signature)}`;
  const page = await get(path);
  const lines = page.lines.map(({ title, quantity, total }) => {
    return h('li', {}, h('span', {}, `${quantity} × ${title}`), h('span', {}, money(total)));
  });
  const payments = page.payments.map(({ method, amount, status }) => {
    return h('li', {}, h('span', {}, `${words(method)}: ${words(status)}`), h('span', {}, money(amount)));
  });
  const refunded = Number(page.refunded.amount) !== 0;
  return h(
    'article',
    { class: 'order' },
    h('h1', {}, 'Your order'),
    h('p', { class: page.status === 'canceled' ? '' : 'good' }, STANDS[page.status] ?? words(page.status)),
    h(
      'p',
      { class: 'hint' },
      `${page.id}, ${date(page.placed_at)}. This page's address is the way back here.`,
    ),
    h('h2', {}, 'Goods'),
    h('ul', { class: 'why' }, lines),
    h('h2', {}, 'Delivery'),
    h(
      'ul',
      { class: 'why' },
      page.parts.map((part, at) => parcel(part, at, page.parts.length)),
    ),
    h('h2', {}, 'Payment'),
    payments.length > 0 ? h('ul', { class: 'why' }, payments) : h('p', {}, 'There was nothing to pay.'),
    h('p', { class: 'total' }, h('span', {}, 'Total'), h('span', {}, money(page.total))),
    refunded && h('p', { class: 'total' }, h('span', {}, 'Refunded'), h('span', {}, money(page.refunded))),
    h('p', {}, h('a', { href: '#/' }, 'Back to the goods')),
  );
}

function parcel({ status, service, delivery, parcels }, at, count) {
  const sent = parcels.map(({ carrier, tracking_number: number, delivered_at: there }) => {
    return h('li', {}, `${carrier} ${number}${there ? `, delivered ${date(there)}` : ', on its way'}`);
  });
  const name = `Part ${at + 1} of ${count}: ${service ?? 'delivery'}, ${words(status)}`;
  return h(
    'li',
    {},
    h('span', {}, name, sent.length > 0 && h('ul', {}, sent)),
    h('span', {}, money(delivery)),
  );
}
