// What comes by mail and leads back: reminders, confirmations, questions for a review; and what is shown by a link.

import assert from 'node:assert/strict';
import { SHOP, until } from './market.mjs';
import { alertSays, focusOf, heading, look, pay, press, put, ready, so, tab } from './page.mjs';

/** The newest mail with this subject to this address, opened from the box; answers what the mail itself shows. */
async function opened(page, email, subject) {
  const row = page.locator('li', { hasText: `to ${email}` }).filter({ hasText: subject }).first();
  await until(`a mail to ${email}: ${subject}`, async () => {
    await page.goto(`${SHOP}/mail`);
    return (await row.count()) > 0;
  });
  await heading(page, 'Mail box');
  await row.getByRole('link').click();
  await heading(page, await page.title());
  return page.frameLocator('iframe[title="The mail"]');
}

const mailsTo = async (page, email) => {
  await page.goto(`${SHOP}/mail`);
  return page.locator('li', { hasText: `to ${email}` }).allInnerTexts();
};

/** What opens in a window of its own when a link of a mail is followed: by the keyboard, as it must be possible. */
async function followed(page, link) {
  await link.focus();
  const [next] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
  return next;
}

async function isStrict(path, wanted) {
  const { headers } = await fetch(SHOP + path);
  assert.match(headers.get('content-security-policy'), wanted, path);
}

export const stories = {
  async 'a reminder brings the cart back on another device, and a click ends reminders'(
    page,
    { another, ask, advance, mug, width },
  ) {
    const email = `omar-${width}@post.example`;
    const steps = [{ after_minutes: 60 }, { after_minutes: 1440 }];
    await ask('/v1/abandoned-carts/policy', {
      steps,
      max_messages: 4,
      max_messages_days: 7,
      attribution_days: 7,
    });
    await put(page, mug);
    await page.goto(`${SHOP}/#/checkout`);
    await heading(page, 'Contact');
    await page.getByLabel('E-mail').fill(email);
    await tab.toField(page, 'marketing');
    await page.keyboard.press('Space');
    await look(page, `agreed-${width}`);
    await press(page, 'Save the contact');
    await heading(page, 'Address');
    await advance('75m');

    const other = await another();
    const mail = await opened(other, email, 'You have left something in your cart');
    await mail.getByRole('heading', { name: 'Still interested?' }).waitFor();
    await mail.getByText('1 × Stoneware Mug').waitFor();
    await look(other, `mail-reminder-${width}`);
    const shop = await followed(other, mail.getByRole('link', { name: 'Back to the cart' }));
    await heading(shop, 'Checkout');
    await heading(shop, 'Address');
    await shop.getByRole('link', { name: 'Cart (1)' }).waitFor();
    assert.equal(new URL(shop.url()).hash, '#/checkout', 'the link is not left in the address');
    await look(shop, `restored-${width}`);
    await shop.reload();
    await heading(shop, 'Address');
    await shop.goto(`${SHOP}/#/cart/forged`);
    await heading(shop, 'This link is not good any more');
    await look(shop, `forged-${width}`);
    await shop.getByRole('link', { name: 'Cart (1)' }).waitFor();

    const out = await followed(other, mail.getByRole('link', { name: 'No more of these' }));
    await heading(out, 'Fewer messages');
    await look(out, `unsubscribe-${width}`);
    await tab.toButton(out, 'No more reminders and offers');
    await out.keyboard.press('Enter');
    await out.getByText('You get no more reminders and offers from us.').waitFor();
    await look(out, `unsubscribed-${width}`);
    await advance('26h');
    assert.equal((await mailsTo(other, email)).length, 1, 'nothing comes after that');
    await out.goto(`${SHOP}/#/unsubscribe/forged`);
    await press(out, 'No more reminders and offers');
    await alertSays(out, 'There is no such link');
  },

  async 'an order is confirmed by mail, and asked about; one star is a review'(
    page,
    { another, ask, advance, mug, width },
  ) {
    const email = `ines-${width}@post.example`;
    await ready(page, mug, email);
    await pay(page, 'Card that is approved');
    await heading(page, 'Your order');
    const order = decodeURIComponent(new URL(page.url()).hash.split('/')[2]);

    const box = await another();
    const confirmed = await opened(box, email, 'Your order');
    await confirmed.getByText('1 × Stoneware Mug').waitFor();
    await confirmed.getByText('Expected delivery').waitFor();
    await look(box, `mail-confirmed-${width}`);
    for (const path of ['/mail', new URL(box.url()).pathname]) await isStrict(path, /default-src 'none'/);
    await isStrict(`${new URL(box.url()).pathname}/html`, /default-src 'none'.*sandbox allow-popups/s);
    await isStrict('/', /require-trusted-types-for 'script'/);
    const paid = await followed(box, confirmed.getByRole('link', { name: 'See your order' }));
    await heading(paid, 'Your order');
    await paid.getByText('It is paid. Thank you!').waitFor();
    await box.goto(`${SHOP}/mail`);
    await heading(box, 'Mail box');
    await look(box, `mail-box-${width}`);
    await tab.to(box, `document.activeElement.tagName === 'A'`, 'a mail');

    const part = await until('the order is split', async () => {
      const { merchant_orders: parts } = await ask(`/v1/orders/${order}`);
      return parts[0]?.id;
    });
    const parcel = { carrier: 'dhl', tracking_number: `walk-${width}`, lines: [] };
    const sent = await ask(`/v1/merchant-orders/${part}/ship`, parcel);
    const track = `/v1/merchant-orders/${part}/shipments/${sent.shipments[0].id}/track`;
    await ask(track, { status: 'delivered' });
    await advance('8d');
    const asked = await opened(box, email, 'How was it?');
    const stars = await asked.getByRole('link', { name: '★' }).all();
    const heights = await Promise.all(stars.map(async (star) => (await star.boundingBox()).y));
    assert.deepEqual([heights.length, new Set(heights).size], [5, 1], 'five stars in one row');
    await look(box, `mail-review-${width}`);
    const form = await followed(box, asked.getByRole('link', { name: '2★' }));
    await heading(form, 'How do you like it: Stoneware Mug (sand)?');
    await form.getByText('Thank you! Your review is shown.').waitFor();
    assert.equal(await form.getByRole('radio', { name: '2 of 5 stars' }).isChecked(), true);
    await look(form, `review-${width}`);

    // Words with a link are looked at by a person; what is shown by then is not.
    const words = `It leaks at ${width} degrees.\nSee https://leaks.example`;
    await tab.toField(form, 'field-text');
    await form.keyboard.type(words);
    await tab.toField(form, 'field-name');
    await form.keyboard.type('Ines <i>G.</i>');
    await tab.toButton(form, 'Send');
    await form.keyboard.press('Enter');
    await form.getByText('A person looks at your review before it is shown.').waitFor();
    const picture = { name: 'mug.png', mimeType: 'image/png', buffer: await form.screenshot() };
    await form.getByLabel('A photo').setInputFiles(picture);
    await form.getByText('It is on its way.').waitFor();
    await look(form, `review-waits-${width}`);
    await page.goto(`${SHOP}/#/product/${mug}`);
    await heading(page, 'What buyers say');
    assert.equal(await page.getByText(`at ${width} degrees`).count(), 0);
    const { items } = await ask('/v1/reviews/pending');
    for (const { id } of items) await ask(`/v1/reviews/${id}/publish`, {});
    await until('the review and its photo are shown', async () => {
      await page.reload();
      const review = page.getByRole('listitem').filter({ hasText: `It leaks at ${width} degrees.` });
      await review.getByText('Ines <i>G.</i>').waitFor({ timeout: 1000 });
      await review.getByRole('img', { name: '2 of 5 stars' }).waitFor({ timeout: 1000 });
      await review.getByRole('img', { name: 'A photo of the goods' }).waitFor({ timeout: 1000 });
      return true;
    });
    await so(page, () => document.querySelector('.pictures img').naturalWidth > 0);
    await look(page, `review-shown-${width}`);
    await form.goto(`${SHOP}/#/review/forged/5`);
    await heading(form, 'This link is not good any more');
  },

  async 'what is kept for later is shown to others by a link, and goes into the cart'(
    page,
    { another, mug, width },
  ) {
    await page.goto(`${SHOP}/#/wish-list`);
    await page.getByText('There is nothing on it yet.').waitFor();
    await page.goto(`${SHOP}/#/product/${mug}`);
    await page.getByRole('button', { name: 'Keep for later' }).waitFor();
    await page.getByLabel('Quantity').fill('2');
    await tab.toButton(page, 'Keep for later');
    await page.keyboard.press('Enter');
    await page.getByText('It is on your wish list.').waitFor();
    await tab.toLink(page, 'Go to the wish list');
    await page.keyboard.press('Enter');
    await heading(page, 'Wish list');
    await page.getByText('Stoneware Mug (sand) × 2').waitFor();
    await look(page, `wishes-${width}`);
    await tab.toButton(page, 'Make a link');
    await page.keyboard.press('Enter');
    await focusOf(page, 'wish-link');
    await look(page, `wishes-link-${width}`);
    const link = await page.getByLabel('Whoever has this link sees the list').inputValue();

    const other = await another();
    await other.goto(link);
    await heading(other, 'Wish list');
    await other.getByText('Stoneware Mug (sand) × 2').waitFor();
    assert.equal(await other.getByRole('main').getByRole('button').count(), 0, 'only to look at');
    await look(other, `wishes-shared-${width}`);
    await page.reload();
    await press(page, 'Close the link');
    await page.getByRole('button', { name: 'Make a link' }).waitFor();
    await other.reload();
    await heading(other, 'This link is not good any more');

    await press(page, 'Into the cart: Stoneware Mug (sand)');
    await page.getByRole('link', { name: 'Cart (2)' }).waitFor();
    await page.getByText('There is nothing on it yet.').waitFor();
    await page.getByRole('link', { name: 'Cart (2)' }).click();
    await heading(page, 'Your cart');
    assert.equal(await page.getByLabel('Quantity of Stoneware Mug').inputValue(), '2');
  },
};
