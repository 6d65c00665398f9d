// Pictures of goods: an average color until they are there, the size that fits, words for who does not see them.

import { h, say } from './dom.js';

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

/** The average color in a BlurHash: its third to sixth digit, in base 83. */
function color(hash) {
  const value = [...hash.slice(2, 6)].reduce((sum, digit) => sum * 83 + DIGITS.indexOf(digit), 0);
  return `#${value.toString(16).padStart(6, '0')}`;
}

/** In the language of the page, else in any that there is. */
export function words(alt, instead) {
  const [any] = Object.values(alt);
  return alt.en ?? any ?? instead;
}

/** A picture in its sizes; `fills` says how wide it is shown, `lazy` that it may wait. */
export function picture({ sizes, blur_hash }, alt, fills, lazy) {
  const srcset = (format) => sizes.map((size) => `${size[format]} ${size.width}w`).join(', ');
  const largest = sizes[sizes.length - 1];
  const image = h('img', {
    src: largest.jpeg,
    srcset: srcset('jpeg'),
    sizes: fills,
    width: largest.width,
    height: largest.height,
    alt,
    loading: lazy && 'lazy',
    decoding: 'async',
  });
  image.style.backgroundColor = color(blur_hash);
  return h('picture', {}, h('source', { type: 'image/webp', srcset: srcset('webp'), sizes: fills }), image);
}

function kindOf({ kind, url }, alt) {
  if (kind === 'video') return h('video', { src: url, controls: true, preload: 'metadata', 'aria-label': alt });
  const what = kind === 'model' ? 'A model in three dimensions' : 'A document';
  return h('a', { href: url, download: true }, `${what}: ${alt}`);
}

/** All that a product shows: one large, the others to choose from. */
export function gallery(media, title) {
  const pictures = media.filter(({ kind }) => kind === 'picture');
  const others = media.filter(({ kind }) => kind !== 'picture');
  const fills = '(max-width: 46rem) 100vw, 30rem';
  const stage = h('div', { class: 'stage' });
  const show = (at) => {
    const shown = pictures[at];
    stage.replaceChildren(picture(shown, words(shown.alt, title), fills, false));
  };
  const choice = (shown, at) => {
    const alt = words(shown.alt, `${title}, picture ${at + 1} of ${pictures.length}`);
    const button = h('button', { type: 'button', 'aria-pressed': at === 0 ? 'true' : 'false' });
    button.append(picture({ ...shown, sizes: shown.sizes.slice(0, 1) }, alt, '5rem', true));
    button.addEventListener('click', () => {
      for (const other of choices) other.setAttribute('aria-pressed', String(other === button));
      show(at);
      say(`Shown: ${alt}`);
    });
    return button;
  };
  const choices = pictures.map(choice);
  if (pictures.length > 0) show(0);
  const list = h('ul', { class: 'angles', 'aria-label': 'Pictures' }, choices.map((one) => h('li', {}, one)));
  const rest = h('ul', { class: 'others' }, others.map((one) => h('li', {}, kindOf(one, words(one.alt, title)))));
  return h(
    'div',
    { class: 'gallery' },
    pictures.length > 0 && stage,
    choices.length > 1 && list,
    others.length > 0 && rest,
  );
}
