// What buyers say: beside a product, and the form that a link in a message opens.

import { get, post } from './api.js';
import { alert, complain, date, ended, field, focus, h, say } from './dom.js';
import { picture } from './pictures.js';

const STARS = [1, 2, 3, 4, 5];
const TYPES = 'image/jpeg,image/png,image/webp';

function stars(number) {
  const text = '★'.repeat(number) + '☆'.repeat(5 - number);
  return h('span', { class: 'stars', role: 'img', 'aria-label': `${number} of 5 stars` }, text);
}

function said(text) {
  return h('p', { class: 'said' }, text);
}

function row({ stars: number, text, name, at, helpful, photos = [], reply }) {
  const pictures = photos.map((photo) => picture(photo, 'A photo of the goods', '10rem', true));
  return h(
    'li',
    { class: 'review' },
    h('p', {}, stars(number), ' ', h('span', { class: 'hint' }, `${name ?? 'A buyer'}, ${date(at)}`)),
    text && said(text),
    pictures.length > 0 && h('div', { class: 'pictures' }, pictures),
    helpful > 0 && h('p', { class: 'hint' }, `It has helped ${helpful}.`),
    reply && h('blockquote', {}, h('p', { class: 'hint' }, 'The seller answers:'), said(reply.text)),
  );
}

/** Reviews of a product: all of them, in the order that is asked for. */
export async function reviews(product) {
  const of = encodeURIComponent(product);
  const rating = await get(`/v1/ratings/products/${of}`);
  const heading = h('h2', {}, 'What buyers say');
  if (rating.count === 0) {
    return h('section', { class: 'reviews' }, heading, h('p', {}, 'Nobody has said anything yet.'));
  }
  const counts = ['five', 'four', 'three', 'two', 'one'].map((word, at) => {
    return h('li', {}, stars(5 - at), ` ${rating.stars[word]}`);
  });
  const list = h('ul', { class: 'reviews' });
  const more = h('button', { type: 'button', class: 'quiet' }, 'Show more');
  const sorts = { newest: 'Newest', helpful: 'Most helpful', best: 'Best', worst: 'Worst' };
  const options = Object.entries(sorts).map(([value, text]) => h('option', { value }, text));
  const sort = h('select', { id: 'review-sort' }, options);
  let next = null;
  const load = async (begin) => {
    const cursor = begin ? '' : `&cursor=${next}`;
    const page = await get(`/v1/reviews?product=${of}&limit=10&sort=${sort.value}${cursor}`);
    if (begin) list.replaceChildren();
    list.append(...page.items.map(row));
    next = page.next;
    more.hidden = !next;
  };
  const tried = (begin) => load(begin).catch((problem) => say(problem.message));
  more.addEventListener('click', () => tried(false));
  sort.addEventListener('change', () => tried(true));
  await load(true);
  return h(
    'section',
    { class: 'reviews' },
    heading,
    h('p', { class: 'mean' }, `${rating.mean} of 5, from ${rating.count} ${rating.count === 1 ? 'buyer' : 'buyers'}`),
    h('ul', { class: 'distribution' }, counts),
    h('p', { class: 'row' }, h('label', { for: 'review-sort' }, 'Order'), sort),
    list,
    more,
  );
}

const STANDS = {
  pending: 'Thank you! A person looks at your review before it is shown.',
  published: 'Thank you! Your review is shown.',
  rejected: 'Your review is not shown.',
  withdrawn: 'You have taken your review back.',
};

/** The form behind a link in a message; with stars in the address, they are given at once. */
export async function review(token, clicked) {
  const path = `/v1/review-links/${encodeURIComponent(token)}`;
  let own;
  try {
    own = await get(path);
  } catch (problem) {
    return ended(problem);
  }
  const given = Number(clicked);
  if (own.status === 'none' && STARS.includes(given)) own = await post(path, { stars: given });
  const told = h('div', {});
  const tell = () => {
    const why = (own.reasons ?? []).join(', ').replaceAll('_', ' ');
    const text = STANDS[own.status];
    told.replaceChildren(
      text ? h('p', { class: own.status === 'published' ? 'good' : 'hint', role: 'status' }, text) : '',
      own.status === 'rejected' ? h('p', {}, `Why: ${why}. ${own.note ?? ''}`) : '',
    );
  };
  const choice = (number) => {
    const id = `stars-${number}`;
    const checked = number === (own.stars ?? 0);
    const input = h('input', { type: 'radio', name: 'stars', id, value: number, checked, required: true });
    return h('li', {}, input, h('label', { for: id }, stars(number)));
  };
  const text = h('textarea', { rows: 5, maxlength: 4000 });
  text.value = own.text ?? '';
  const name = h('input', { type: 'text', maxlength: 200, autocomplete: 'nickname' });
  name.value = own.name ?? '';
  const button = h('button', {}, 'Send');
  const onsubmit = async (event) => {
    event.preventDefault();
    const form = event.target;
    const body = { stars: Number(new FormData(form).get('stars')) };
    if (text.value.trim()) body.text = text.value.trim();
    if (name.value.trim()) body.name = name.value.trim();
    button.disabled = true;
    try {
      complain(form, null);
      own = await post(path, body);
      tell();
    } catch (problem) {
      const rest = complain(form, problem);
      const homeless = rest[0] ?? (problem.errors.length === 0 && problem.message);
      if (homeless) told.replaceChildren(alert(homeless));
    }
    button.disabled = false;
  };
  tell();
  return h(
    'article',
    { class: 'order' },
    h('h1', {}, `How do you like it: ${own.title}?`),
    own.merchant_name && h('p', { class: 'hint' }, `Sold by ${own.merchant_name}`),
    told,
    h(
      'form',
      { onsubmit, novalidate: true },
      h('fieldset', {}, h('legend', {}, 'Stars'), h('ul', { class: 'choices' }, STARS.map(choice))),
      field('In your words', 'text', text, 'If you like. It is shown as it stands.'),
      field('Shown as', 'name', name, 'If you like; otherwise as “A buyer”.'),
      button,
    ),
    photos(path, () => own),
  );
}

/** Pictures go straight to where they are kept; what came of them is asked for. */
function photos(path, own) {
  const input = h('input', { type: 'file', accept: TYPES, id: 'photo' });
  const told = h('p', { class: 'hint', role: 'status' });
  input.addEventListener('change', async () => {
    const [file] = input.files;
    if (!file) return;
    const number = (own().photos ?? []).length + 1;
    try {
      const to = await post(`${path}/photos`, { number, content_type: file.type, length: file.size });
      const sent = await fetch(to.url, { method: 'PUT', headers: to.headers, body: file });
      told.textContent = sent.ok ? 'It is on its way.' : 'It was not taken.';
    } catch (problem) {
      told.textContent = problem.message;
      focus(input);
    }
  });
  const label = h('label', { for: 'photo' }, 'A photo, after you have sent your stars');
  return h('div', { class: 'field photo' }, label, input, told);
}
