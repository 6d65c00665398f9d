use super::*;
use crate::cart::Contact;
use crate::currency::Currency;
use crate::id::CustomerId;
use crate::place::Place;
use proptest::{prop_assert, prop_assert_eq, proptest};

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn offer(number: u128) -> OfferId {
    OfferId::from_bits(number)
}

/// Lines of (offer, quantity), of one merchant.
fn cart(id: u128, customer: Option<u128>, lines: &[(u128, u32)]) -> Cart {
    let currency: Currency = "EUR".parse().unwrap();
    let place = Place { country: "DE".parse().unwrap(), region: None, postal: None };
    let owner = customer.map(CustomerId::from_bits);
    let mut cart = Cart::open(CartId::from_bits(id), currency, owner, place, now());
    for (offered, quantity) in lines {
        cart.last_line += 1;
        cart.lines.push(Line {
            number: cart.last_line,
            offer: offer(*offered),
            merchant: MerchantId::from_bits(1),
            quantity: *quantity,
            added_at: eur(10_00),
        });
    }
    cart
}

fn shown(cart: &Cart) -> Vec<(u128, u32)> {
    let number = |line: &Line| (1..=200).find(|number| offer(*number) == line.offer).unwrap_or_default();
    cart.lines.iter().map(|line| (number(line), line.quantity)).collect()
}

fn joined(strategy: Strategy, account: &Cart, guest: &Cart) -> (Cart, Cart) {
    merge(account, guest, strategy, |_| Ok(eur(9_00)), now()).unwrap()
}

#[test]
fn each_strategy_says_what_becomes_of_every_line() {
    // The account has 2 of 1 and 1 of 2; the guest 5 of 2 and 3 of 3.
    let account = cart(1, Some(7), &[(1, 2), (2, 1)]);
    let guest = cart(2, None, &[(2, 5), (3, 3)]);
    for (strategy, lines, outcomes) in [
        (Strategy::Larger, vec![(1, 2), (2, 5), (3, 3)], [(2, None), (5, None), (3, None)]),
        (Strategy::Sum, vec![(1, 2), (2, 6), (3, 3)], [(2, None), (6, None), (3, None)]),
        (Strategy::Guest, vec![(2, 5), (3, 3)], [(0, Some(Reason::LeftOut)), (5, None), (3, None)]),
        (
            Strategy::Account,
            vec![(1, 2), (2, 1)],
            [(2, None), (1, Some(Reason::LeftOut)), (0, Some(Reason::LeftOut))],
        ),
    ] {
        let (next, left) = joined(strategy, &account, &guest);
        assert_eq!(shown(&next), lines, "{strategy:?}");
        assert_eq!((next.id.clone(), next.customer.clone()), (account.id.clone(), account.customer.clone()));
        let merged = left.merged.clone().unwrap();
        assert_eq!((&merged.into, left.lines.len(), &left.id), (&account.id, 0, &guest.id));
        let told: Vec<_> = merged.lines.iter().map(|line| (line.quantity, line.reason)).collect();
        assert_eq!(told, outcomes, "{strategy:?}");
        let had: Vec<_> = merged.lines.iter().map(|line| (line.account, line.guest)).collect();
        assert_eq!(had, [(2, 0), (1, 5), (0, 3)]);
    }
}

#[test]
fn what_cannot_be_bought_or_has_no_place_is_dropped_with_its_reason() {
    let lines: Vec<(u128, u32)> = (1..=LINES_MAX as u128 - 1).map(|number| (number, 1)).collect();
    let account = cart(1, Some(7), &lines);
    let guest = cart(2, None, &[(101, 1), (102, 1), (103, 1)]);
    let price = |line: &Line| if line.offer == offer(101) { Err(Reason::Unavailable) } else { Ok(eur(1_00)) };
    let (next, left) = merge(&account, &guest, Strategy::Larger, price, now()).unwrap();
    assert_eq!(next.lines.len(), LINES_MAX);
    let reasons: Vec<_> =
        left.merged.unwrap().lines.into_iter().skip(lines.len()).map(|l| l.reason).collect();
    assert_eq!(reasons, [Some(Reason::Unavailable), None, Some(Reason::TooManyLines)]);
    // It comes in at the price of now, under a number of this cart.
    let last = next.lines.last().unwrap();
    assert_eq!((last.added_at, last.number), (eur(1_00), 80));

    let most = cart(1, Some(7), &[(1, QUANTITY_MAX)]);
    let (next, left) = joined(Strategy::Sum, &most, &cart(2, None, &[(1, 1)]));
    assert_eq!(shown(&next), [(1, QUANTITY_MAX)]);
    assert_eq!(left.merged.unwrap().lines[0].reason, Some(Reason::QuantityLimit));
}

#[test]
fn the_account_s_words_stay_and_the_guest_s_fill_what_is_missing() {
    let codes = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Word>>();
    let contact = |email: &str| Contact { email: Some(email.parse().unwrap()), phone: None, agreed_at: None };
    let account = Cart { codes: codes(&["ten"]), ..cart(1, Some(7), &[(1, 1)]) };
    let guest = Cart {
        codes: codes(&["TEN", "free"]),
        contact: Some(contact("guest@post.example")),
        ..cart(2, None, &[(1, 1)])
    };
    let (next, _) = joined(Strategy::Larger, &account, &guest);
    assert_eq!(next.codes, codes(&["ten", "free"]));
    assert_eq!(next.contact, guest.contact);
    let known = Cart { contact: Some(contact("account@post.example")), ..account };
    assert_eq!(joined(Strategy::Larger, &known, &guest).0.contact, known.contact);
    // Where there is no room for a code, it is told.
    let many: Vec<String> = (0..CODES_MAX).map(|n| format!("c{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let full = Cart { codes: codes(&many), ..known };
    assert_eq!(
        joined(Strategy::Larger, &full, &guest).1.merged.unwrap().dropped_codes,
        codes(&["TEN", "free"])
    );
}

#[test]
fn a8_3_neither_cart_is_merged_while_its_payment_is_on_its_way() {
    let (account, guest) = (cart(1, Some(7), &[(1, 1)]), cart(2, None, &[(2, 1)]));
    let locked = |cart: &Cart| Cart { stage: Stage::Locked { since: now() }, ..cart.clone() };
    for (account, guest) in [(locked(&account), guest.clone()), (account.clone(), locked(&guest))] {
        assert!(matches!(
            merge(&account, &guest, Strategy::Sum, |_| Ok(eur(1)), now()),
            Err(Refused::Checkout(_))
        ));
    }
}

proptest! {
    /// Nothing is lost in silence: every offer of either cart is told once, with what there is of it now.
    #[test]
    fn every_offer_of_either_cart_is_told_once(
        account in proptest::collection::btree_map(1_u128..20, 1_u32..9, 0..12),
        guest in proptest::collection::btree_map(1_u128..20, 1_u32..9, 0..12),
        which in 0_usize..4,
    ) {
        let strategy = [Strategy::Larger, Strategy::Sum, Strategy::Guest, Strategy::Account][which];
        let of = |id, owner, lines: &std::collections::BTreeMap<u128, u32>| {
            cart(id, owner, &lines.iter().map(|(offer, units)| (*offer, *units)).collect::<Vec<_>>())
        };
        let (next, left) = joined(strategy, &of(1, Some(7), &account), &of(2, None, &guest));
        let told = left.merged.unwrap().lines;
        let offers: std::collections::BTreeSet<u128> = account.keys().chain(guest.keys()).copied().collect();
        prop_assert_eq!(told.len(), offers.len());
        for line in told {
            let there = next.lines.iter().find(|kept| kept.offer == line.offer).map_or(0, |kept| kept.quantity);
            prop_assert_eq!(there, line.quantity);
            prop_assert!(line.quantity > 0 || line.reason == Some(Reason::LeftOut));
        }
        let mut numbers: Vec<u16> = next.lines.iter().map(|line| line.number).collect();
        numbers.dedup();
        prop_assert_eq!(numbers.len(), next.lines.len());
    }
}
