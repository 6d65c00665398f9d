// A guest shops: finds, chooses, pays, sees the order; by keyboard alone; with hostile names; with what goes wrong.

import assert from 'node:assert/strict';
import { SHOP } from './market.mjs';
import { alertSays, focusIsOn, focusOf, heading, look, pay, press, put, ready, so, tab } from './page.mjs';

export const HOSTILE = '<script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">';

export const stories = {
  async 'a guest finds a mug, mistypes the address, is declined, pays, and sees the order'(page) {
    await page.goto(SHOP);
    await heading(page, 'Goods');
    await look(page, 'goods');
    const before = await page.locator('.goods li').count();
    await press(page, 'Show more');
    await so(page, (before) => document.querySelectorAll('.goods li').length > before, before);
    await page.getByRole('navigation', { name: 'Categories' }).getByRole('link', { name: 'Mugs' }).click();
    await heading(page, 'Mugs');
    await look(page, 'category');
    await page.getByRole('link', { name: /Stoneware Mug/ }).click();
    await heading(page, 'Stoneware Mug');
    await focusIsOn(page, 'Stoneware Mug');
    await look(page, 'product');
    await page.getByLabel('slate').check();
    await page.getByLabel('Quantity').fill('2');
    await press(page, 'Put into the cart');
    await page.getByRole('link', { name: 'Go to the cart' }).click();
    await heading(page, 'Your cart');
    await page.getByRole('link', { name: 'Cart (2)' }).waitFor();
    await page.getByText('How the total comes about').click();
    await look(page, 'cart');

    // More than there is: the line says so, and the checkout waits.
    await page.getByLabel('Quantity of Stoneware Mug').fill('99');
    await page.getByLabel('Quantity of Stoneware Mug').press('Enter');
    await page.getByText('Change the lines with a problem first.').waitFor();
    await look(page, 'cart-problem');
    await page.getByLabel('Quantity of Stoneware Mug').fill('3');
    await page.getByLabel('Quantity of Stoneware Mug').press('Enter');
    await so(page, () => document.getElementById('status').textContent === 'Total €43.50');
    await page.reload();
    assert.equal(
      await page.getByLabel('Quantity of Stoneware Mug').inputValue(),
      '3',
      'a reload keeps the cart',
    );

    // A code that nobody knows is told beside its field; one that holds is a line of the total.
    await page.getByLabel('Discount code').fill('nothing');
    await press(page, 'Use the code');
    await page.locator('#field-codes-add[aria-invalid]').waitFor();
    const unknown = await page.locator('#field-codes-add-error').textContent();
    assert.equal(unknown, 'nothing: there is no such code');
    await look(page, 'code-unknown');
    await press(page, 'Take out the code nothing');
    await so(page, () => document.querySelector('[aria-label="Codes in the cart"]') === null);
    await page.getByLabel('Discount code').fill(' welcome10 ');
    await page.getByLabel('Discount code').press('Enter');
    // 10 % of 43.50.
    await so(page, () => document.getElementById('status').textContent === 'Total €39.15');
    const off = page.locator('.totals div', { hasText: 'Discount WELCOME10' });
    assert.equal(await off.locator('dd').textContent(), '-€4.35');
    await focusOf(page, 'field-codes-add');
    await look(page, 'code');

    await page.getByRole('link', { name: 'To the checkout' }).click();
    await heading(page, 'Contact');
    await press(page, 'Save the contact');
    await alertSays(page, 'give `email` or `phone`');
    await page.getByLabel('E-mail').fill('nobody');
    await press(page, 'Save the contact');
    await page.locator('.error', { hasText: /./ }).waitFor();
    await look(page, 'contact-wrong');
    await page.getByLabel('E-mail').fill('ines@post.example');
    await press(page, 'Save the contact');
    await heading(page, 'Address');
    await focusIsOn(page, 'Address');
    await page.getByLabel('Name', { exact: true }).fill('Ines Groß');
    await page.getByLabel('Postal code').fill('1096');
    await press(page, 'Save the address');
    await page.locator('#field-address-postal_code[aria-invalid]').waitFor();
    const told = await page.locator('#field-address-postal_code-error').textContent();
    assert.match(told, /\S/, 'the error stands beside its field');
    await look(page, 'address-wrong');
    await page.getByLabel('Street and number').fill('Lindenweg 5');
    await page.getByLabel('Postal code').fill('10969');
    await page.getByLabel('City').fill('Berlin');
    await press(page, 'Save the address');
    await heading(page, 'Delivery');
    await look(page, 'delivery');
    await page.getByLabel('express').check();
    await press(page, 'Save the delivery');
    await heading(page, 'Payment');
    await look(page, 'payment');
    await page.goBack();
    await heading(page, 'Delivery');
    await page.goForward();
    await heading(page, 'Payment');

    await pay(page, 'Card that is declined: insufficient funds');
    await alertSays(page, 'insufficient funds');
    await look(page, 'declined');
    await pay(page, 'Card that is approved');
    await heading(page, 'Your order');
    await page.getByText('It is paid. Thank you!').waitFor();
    await page.getByText('3 × Stoneware Mug').waitFor();
    await page.getByText('€49.05').first().waitFor();
    await look(page, 'order');
    await page.reload();
    await page.getByText('It is paid. Thank you!').waitFor();
    await page.getByRole('link', { name: 'Cart', exact: true }).click();
    await page.getByText('It is empty.').waitFor();
    await look(page, 'cart-empty');
  },

  async 'steps come in any order, and what is missing is told'(page, { mug }) {
    await put(page, mug);
    await page.goto(`${SHOP}/#/checkout/payment`);
    await page.getByText('Still missing:').waitFor();
    await look(page, 'payment-missing');
    await press(page, /^Pay /);
    await page.getByRole('alert').waitFor();
    await page
      .getByRole('navigation', { name: 'Steps' })
      .getByRole('link', { name: /Delivery/ })
      .click();
    await heading(page, 'Delivery');
    await press(page, 'Save the delivery');
    await heading(page, 'Contact');
  },

  async 'by keyboard alone'(page, { mug }) {
    const toButton = (name) => tab.toButton(page, name);
    const toField = (id) => tab.toField(page, id);
    const toLink = (name) => tab.toLink(page, name);
    await page.goto(`${SHOP}/#/product/${mug}`);
    await page.getByRole('button', { name: 'Put into the cart' }).waitFor();
    await tab.to(page, `document.activeElement.name === 'offer'`, 'the choice of variants');
    await page.keyboard.press('ArrowDown');
    await toButton('Put into the cart');
    await page.keyboard.press('Enter');
    await page.getByText('It lies in your cart.').waitFor();
    await toLink('Go to the cart');
    await page.keyboard.press('Enter');
    await heading(page, 'Your cart');
    await focusIsOn(page, 'Your cart');
    await toLink('To the checkout');
    await page.keyboard.press('Enter');
    await heading(page, 'Contact');
    const type = async (id, text) => {
      await toField(id);
      await page.keyboard.type(text);
    };
    await type('field-contact-email', 'ines@post.example');
    await page.keyboard.press('Enter');
    await heading(page, 'Address');
    await focusIsOn(page, 'Address');
    await type('field-address-name', 'Ines Groß');
    await type('field-address-lines', 'Lindenweg 5');
    await type('field-address-postal_code', '10969');
    await type('field-address-city', 'Berlin');
    await page.keyboard.press('Enter');
    await heading(page, 'Delivery');
    await toButton('Save the delivery');
    await page.keyboard.press('Enter');
    await heading(page, 'Payment');
    await toButton('Pay ');
    await page.keyboard.press('Enter');
    await heading(page, 'Your order');
    await focusIsOn(page, 'Your order');
  },

  async 'a script in a name is text'(page, { hostile }) {
    await page.goto(SHOP);
    await heading(page, 'Goods');
    const named = page.locator('.goods').getByText(HOSTILE, { exact: true });
    const more = page.getByRole('button', { name: 'Show more' });
    for (let pages = 0; pages < 5 && (await named.count()) === 0; pages += 1) {
      const before = await page.locator('.goods li').count();
      await more.click();
      await so(page, (before) => document.querySelectorAll('.goods li').length > before, before);
    }
    await named.waitFor();
    await page.goto(`${SHOP}/#/product/${hostile}`);
    await heading(page, HOSTILE);
    await look(page, 'script');
    await press(page, 'Put into the cart');
    await page.getByRole('link', { name: 'Go to the cart' }).click();
    await page.getByText(HOSTILE, { exact: true }).first().waitFor();
    assert.equal(await page.evaluate(() => window.hurt), undefined, 'no script of a name has run');
    const { headers } = await fetch(SHOP);
    assert.match(headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/);
  },

  async 'a payment whose answer is lost is asked for again'(page, { mug }) {
    await ready(page, mug);
    await pay(page, 'Card whose answer is lost on the way, but approved');
    await heading(page, 'We do not know yet');
    await look(page, 'waiting');
    await page.goto(`${SHOP}/#/cart`);
    await page.getByText('A payment for it is on its way').waitFor();
    await page.getByRole('link', { name: 'See how the payment stands' }).click();
    await heading(page, 'We do not know yet');
    await press(page, 'Ask again');
    await heading(page, 'Your order');
    // One that never arrived frees the cart.
    await ready(page, mug);
    await pay(page, 'Card whose charge never reaches the bank');
    await press(page, 'Ask again');
    await alertSays(page, 'not received');
    await heading(page, 'Payment');
  },

  async 'a payment that the bank asks about goes on when the operator has played the customer'(
    page,
    { mug, ask },
  ) {
    await ready(page, mug);
    await pay(page, 'Card whose bank asks you to confirm');
    await heading(page, 'Your bank asks you to confirm');
    await look(page, 'action');
    const line = await page.getByLabel('To confirm').textContent();
    const payment = JSON.parse(line.match(/-d '(.*)'/)[1]);
    await ask('/v1/gateways/sandbox/tell', payment);
    await press(page, 'Ask again');
    await page.getByRole('link', { name: 'Look at the order' }).or(page.getByText('It is paid.')).waitFor();
  },

  async 'a voucher pays a part, and a bank transfer is waited for'(page, { mug }) {
    await ready(page, mug);
    await page.getByLabel('Voucher').waitFor();
    await page.goto(`${SHOP}/#/cart`);
    await page.getByRole('spinbutton').fill('2');
    await page.getByRole('spinbutton').press('Enter');
    await so(page, () => document.getElementById('status').textContent.startsWith('Total'));
    await page.goto(`${SHOP}/#/checkout/payment`);
    await pay(page, 'Voucher of 20.00, the rest by card');
    await heading(page, 'Your order');
    await page.getByText('voucher: ').waitFor();
    await page.getByText('card: ').waitFor();
    await ready(page, mug);
    await pay(page, 'Bank transfer');
    await heading(page, 'Your order');
    await page.getByText('We wait for the payment.').waitFor();
    await look(page, 'transfer');
  },

  async 'what costs nothing is ordered without a payment'(page, { mug, ask }) {
    await ask('/v1/promotions/set-code', { name: 'ALL', percent: '100' });
    await ask('/v1/promotions/set-code', { name: 'BRING', free_delivery: true });
    await ready(page, mug);
    await page.getByRole('link', { name: 'Change the cart' }).click();
    for (const code of ['all', 'bring']) {
      await page.getByLabel('Discount code').fill(code);
      await press(page, 'Use the code');
      await page.getByRole('button', { name: `Take out the code ${code.toUpperCase()}` }).waitFor();
    }
    await page.goto(`${SHOP}/#/checkout/payment`);
    await page.getByText('There is nothing to pay.').waitFor();
    await look(page, 'nothing-to-pay');
    await press(page, 'Place the order');
    await heading(page, 'Your order');
    await page.getByText('There was nothing to pay.').waitFor();
    await look(page, 'nothing-paid');
  },

  async 'a cart that has gone, and one that was ordered in another tab'(page, { mug }) {
    await page.goto(SHOP);
    await page.evaluate(() => localStorage.setItem('souk-cart', 'crt_00000000000000000000000000'));
    await page.goto(`${SHOP}/#/cart`);
    await page.getByText('It is empty.').waitFor();
    await page.evaluate(() => localStorage.setItem('souk-cart', 'crt_00000000000000000000000000'));
    await ready(page, mug);
    const other = await page.context().newPage();
    await other.goto(`${SHOP}/#/checkout/payment`);
    await pay(other, 'Card that is approved');
    await heading(other, 'Your order');
    await press(page, /^Pay /);
    // Paid twice is paid once: this tab is shown the order that is there.
    await heading(page, 'Your order');
    assert.equal(page.url(), other.url());
    await other.close();
  },
};
