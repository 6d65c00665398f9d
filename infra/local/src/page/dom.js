// Elements out of data. Text only ever becomes text: nothing here parses markup.

/** An element with attributes, listeners (`onclick`) and children: elements, texts, or nothing. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...there(children));
  return element;
}

/** Children in one list, without those that are none. */
export function there(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** Told to who listens to the page. */
export function say(text) {
  document.getElementById('status').textContent = text;
}

/** Money for people: `{amount: "14.50", currency: "EUR"}`, whose digits stay as they are. */
export function money({ amount, currency }) {
  const digits = (amount.split('.')[1] ?? '').length;
  const asTheyAre = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat('en', { style: 'currency', currency, ...asTheyAre }).format(amount);
}

export function date(text) {
  const options = { weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' };
  return new Intl.DateTimeFormat('en', options).format(new Date(text));
}

/** `gift_card` is a gift card. */
export function words(code) {
  return code.replaceAll('_', ' ');
}

/** A box that is read out at once; `again` is what can be done about it. */
export function alert(text, ...again) {
  return h('div', { class: 'alert', role: 'alert', tabindex: '-1' }, h('p', {}, text), ...again);
}

export function focus(element) {
  if (!element) return;
  if (!element.matches('a, button, input, select, [tabindex]')) element.setAttribute('tabindex', '-1');
  element.focus();
}

/** In the place of what a link was to show; other problems are thrown. */
export function ended(problem) {
  if (problem.status !== 404 && problem.status !== 410) throw problem;
  const on = h('a', { href: '#/' }, 'Look at the goods');
  const { status, message } = problem;
  const ended = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  const why = status === 410 ? ended : 'It was ended, or a part of it is missing.';
  return [h('h1', {}, 'This link is not good any more'), h('p', {}, `${why} `, on)];
}

/** A labeled field; `name` is what the API calls it in its errors. */
export function field(label, name, control, hint) {
  const id = `field-${name.replaceAll('.', '-')}`;
  control.id = id;
  control.setAttribute('name', name);
  control.setAttribute('aria-describedby', `${id}-error`);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    hint && h('p', { class: 'hint' }, hint),
    control,
    h('p', { class: 'error', id: `${id}-error` }),
  );
}

/** Puts the errors of a 422 beside their fields; answers those that have none. */
export function complain(form, problem) {
  for (const error of form.querySelectorAll('.error')) error.textContent = '';
  for (const control of form.elements) control.removeAttribute('aria-invalid');
  const homeless = [];
  let first = null;
  for (const { field: name, message } of problem?.errors ?? []) {
    const named = [...form.elements].find(
      (control) => control.name === name || name.startsWith(`${control.name}[`),
    );
    const error = named && document.getElementById(`${named.id}-error`);
    if (!error) {
      homeless.push(`${name}: ${message}`);
      continue;
    }
    named.setAttribute('aria-invalid', 'true');
    error.textContent = message;
    first ??= named;
  }
  focus(first);
  return homeless;
}
