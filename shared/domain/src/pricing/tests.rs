use super::*;
use crate::order::tests::{eur, id, merchant};
use crate::place::Area;
use crate::tax::{Deemed, DeliveryTax, OwedBy, Policy, Prices, Rate, Reason, Rounding, Sellers, Treatment};
use jiff::civil::date;
use proptest::prelude::*;

/// A line of EUR that has nothing wrong with it.
pub(crate) fn line(number: u16, of: u8, category: &str, quantity: u32, minor: i64) -> Line {
    Line {
        number,
        merchant: merchant(of),
        offer: id(&format!("off_{number:08}")),
        category: Some(id(category)),
        quantity,
        price: Price::Offered(eur(minor)),
        price_when_added: eur(minor),
        limit: None,
        available: None,
        grams: 250,
        status: Status::Buyable,
    }
}

fn seller(of: u8, delivery: Option<i64>) -> Seller {
    let chosen = |minor| Chosen { service: Service::Standard, price: Price::Offered(eur(minor)) };
    Seller { merchant: merchant(of), country: id("DE"), delivery: delivery.map(chosen) }
}

fn basket(lines: Vec<Line>, discounts: Vec<Discount>) -> Basket {
    let sellers = (1..=9).map(|of| seller(of, None)).collect();
    Basket { currency: id("EUR"), lines, sellers, discounts }
}

fn off(code: &str, benefit: Benefit, scope: Scope) -> Discount {
    Discount { source: Source::Code(id(code)), benefit, scope, borne_by: BorneBy::Merchant }
}

fn percent(percent: i64) -> Benefit {
    Benefit::Percent(percent.into())
}

/// Germany: 19 %, books 7 %, gifts exempt.
fn policy(prices: Prices, rounding: Rounding) -> Policy {
    let row = |category: Option<&str>, treatment| Rate {
        area: Area::Country(id("DE")),
        category: category.map(id),
        from: date(2021, 1, 1),
        treatment,
    };
    Policy {
        rates: vec![
            row(None, Treatment::Standard(19.into())),
            row(Some("books"), Treatment::Reduced(7.into())),
            row(Some("gifts"), Treatment::Exempt),
        ],
        mode: Mode { prices, rounding },
        delivery: DeliveryTax::Goods,
        deemed: Vec::new(),
        reverse_charge: true,
    }
}

fn added() -> Policy {
    policy(Prices::Added, Rounding::Line)
}

fn to(country: &str) -> Destination {
    Destination {
        place: Place { country: id(country), region: None, postal: None },
        on: date(2026, 3, 2),
        buyer: None,
    }
}

fn priced(basket: &Basket, policy: &Policy) -> Priced {
    price(basket, policy, &to("DE")).unwrap()
}

fn shares(priced: &Priced) -> Vec<Vec<i64>> {
    let of = |line: &PricedLine| line.discounts.iter().map(|share| share.amount.minor).collect();
    priced.lines.iter().map(of).collect()
}

#[test]
fn a6_1_an_order_discount_splits_by_largest_remainder_and_the_first_wins_ties() {
    for (prices, amount, want) in [
        ([10_00, 10_00, 10_00], 1_00, [34, 33, 33]),
        ([10_00, 20_00, 30_01], 5_00, [83, 1_67, 2_50]), // 83.32, 166.64, 250.04
        ([7_00, 0, 3_00], 5, [4, 0, 1]),                 // 3.5 and 1.5
        ([1, 1, 1], 2, [1, 1, 0]),
    ] {
        let lines = (1..).zip(prices).map(|(number, minor)| line(number, 1, "toys", 1, minor)).collect();
        let discounts = vec![off("five", Benefit::Amount(eur(amount)), Scope::Order)];
        let priced = priced(&basket(lines, discounts), &added());
        let found: Vec<i64> = shares(&priced).iter().map(|shares| shares.iter().sum()).collect();
        assert_eq!(found, want);
        assert_eq!(priced.totals.discount, eur(amount));
    }
}

#[test]
fn a6_4_line_discounts_come_before_order_discounts_and_both_before_tax() {
    let discounts = vec![
        off("ten", percent(10), Scope::Order),
        off("readers", percent(20), Scope::Category(id("books"))),
    ];
    let lines = vec![line(1, 1, "books", 2, 25_00), line(2, 2, "toys", 1, 60_00)];
    let priced = priced(&basket(lines, discounts), &added());
    assert_eq!(shares(&priced), [vec![10_00, 4_00], vec![6_00]]); // 20 % of 50, then 10 % of 40 and of 60
    let taxes: Vec<_> =
        priced.lines.iter().map(|line| (line.tax.base.minor, line.tax.amount.minor)).collect();
    assert_eq!(taxes, [(36_00, 2_52), (54_00, 10_26)]);
    assert_eq!(priced.totals.total, eur(10_278));
    let told: Vec<String> = priced.components.iter().map(ToString::to_string).collect();
    assert_eq!(told[1], "code ten: 10.00 EUR off 100.00 EUR");
}

#[test]
fn a6_6_all_off_is_nothing_and_never_less() {
    let discounts = vec![
        off("all", percent(100), Scope::Order),
        off("more", Benefit::Amount(eur(5_00)), Scope::Order),
        off("free", Benefit::FreeDelivery, Scope::Order),
        off("again", Benefit::FreeDelivery, Scope::Order),
    ];
    let mut basket = basket(vec![line(1, 1, "toys", 3, 33), line(2, 1, "gifts", 1, 1)], discounts);
    basket.sellers[0] = seller(1, Some(4_90));
    for prices in [Prices::Added, Prices::Included] {
        let priced = priced(&basket, &policy(prices, Rounding::Unit));
        assert_eq!((priced.totals.total, priced.totals.tax), (eur(0), eur(0)));
        assert_eq!(
            (priced.totals.items, priced.totals.delivery, priced.totals.discount),
            (eur(1_00), eur(4_90), eur(5_90))
        );
        let reasons: Vec<_> = priced.lines.iter().map(|line| line.tax.reason).collect();
        assert_eq!(
            reasons,
            [Reason::Standard, Reason::Exempt],
            "a line for nothing has its reason all the same"
        );
    }
}

#[test]
fn an_amount_takes_no_more_than_is_left() {
    for (amount, total) in [(2_99, 1), (3_00, 0), (3_01, 0)] {
        let lines = vec![line(1, 1, "gifts", 1, 1_00), line(2, 1, "gifts", 1, 2_00)];
        let priced =
            priced(&basket(lines, vec![off("x", Benefit::Amount(eur(amount)), Scope::Order)]), &added());
        assert_eq!((priced.totals.total, priced.totals.discount), (eur(total), eur(3_00 - total)));
    }
}

#[test]
fn a_parcel_is_worth_what_its_goods_cost_after_discounts() {
    let discounts =
        vec![off("ten", percent(10), Scope::Order), off("post", Benefit::FreeDelivery, Scope::Order)];
    let mut basket = basket(vec![line(1, 1, "toys", 4, 15_00)], discounts);
    basket.sellers[0] = seller(1, Some(4_90));
    let answer = priced(&basket, &added());
    let parcel = answer.merchants[0].parcel(&answer.lines);
    assert_eq!(parcel, Ok(Parcel { grams: 1_000, value: eur(54_00) }));
}

#[test]
fn a8_4_the_mode_of_rounding_stands_on_the_answer() {
    let basket = basket(vec![line(1, 1, "toys", 3, 1_08)], vec![]);
    for (rounding, total) in [(Rounding::Line, 3_86), (Rounding::Unit, 3_87)] {
        let priced = priced(&basket, &policy(Prices::Added, rounding));
        assert_eq!((priced.totals.total, priced.mode.rounding), (eur(total), rounding));
    }
}

#[test]
fn a8_5_the_line_total_is_the_truth_and_the_unit_price_is_derived() {
    let basket = basket(vec![line(1, 1, "toys", 3, 1_08)], vec![]);
    for (rounding, total) in [(Rounding::Line, 3_86), (Rounding::Unit, 3_87)] {
        let priced = priced(&basket, &policy(Prices::Added, rounding));
        // 3.86 / 3 = 1.286…: three of what is shown for one need not be the total.
        assert_eq!((priced.lines[0].total, priced.lines[0].unit_total()), (eur(total), Ok(eur(1_29))));
    }
}

#[test]
fn a_discount_stays_in_its_scope_and_says_who_bears_it() {
    let mut house = off("house", Benefit::Amount(eur(3_00)), Scope::Merchant(merchant(2)));
    house.borne_by = BorneBy::Marketplace;
    let discounts = vec![house, off("lost", percent(50), Scope::Category(id("shoes")))];
    let lines =
        vec![line(1, 1, "toys", 1, 10_00), line(2, 2, "toys", 1, 10_00), line(3, 2, "gifts", 1, 20_00)];
    let priced = priced(&basket(lines, discounts), &added());
    assert_eq!(shares(&priced), [vec![], vec![1_00], vec![2_00]]);
    let supported: Vec<i64> = priced.merchants.iter().map(|part| part.totals.supported.minor).collect();
    assert_eq!(supported, [0, 3_00]);
    assert_eq!(priced.components[2].to_string(), "code lost: 0.00 EUR off 0.00 EUR");
}

#[test]
fn delivery_is_taxed_as_its_goods_or_by_a_category_of_its_own() {
    let mut basket = basket(vec![line(1, 1, "books", 1, 40_00), line(2, 1, "toys", 1, 60_00)], vec![]);
    basket.sellers[0] = seller(1, Some(5_00));
    let taxes = |delivery: DeliveryTax| {
        let priced = priced(&basket, &Policy { delivery, ..added() });
        let delivery = priced.merchants[0].delivery.as_ref().unwrap();
        delivery.taxes.iter().map(|tax| (tax.base.minor, tax.amount.minor)).collect::<Vec<_>>()
    };
    assert_eq!(taxes(DeliveryTax::Goods), [(2_00, 14), (3_00, 57)]);
    assert_eq!(taxes(DeliveryTax::Category(id("freight"))), [(5_00, 95)]);
    assert_eq!(taxes(DeliveryTax::Category(id("gifts"))), [(5_00, 0)]);
}

#[test]
fn free_delivery_is_for_merchants_with_a_line_in_its_scope() {
    let lines = vec![line(1, 1, "books", 1, 40_00), line(2, 2, "toys", 1, 60_00)];
    let discounts = vec![off("post", Benefit::FreeDelivery, Scope::Category(id("books")))];
    let mut basket = basket(lines, discounts);
    basket.sellers = vec![seller(2, Some(6_00)), seller(1, Some(5_00))];
    let priced = priced(&basket, &policy(Prices::Included, Rounding::Line));
    let totals: Vec<_> =
        priced.merchants.iter().map(|part| (part.merchant.clone(), part.totals.total.minor)).collect();
    assert_eq!(totals, [(merchant(1), 40_00), (merchant(2), 66_00)]);
    assert_eq!(priced.components[1].to_string(), "code post: 5.00 EUR off 5.00 EUR");
}

#[test]
fn every_line_tells_its_problems() {
    let mut lines =
        vec![line(1, 1, "toys", 3, 10_00), line(2, 1, "toys", 2, 10_00), line(3, 1, "toys", 1, 10_00)];
    lines[1].offer = lines[0].offer.clone();
    lines[0].available = Some(4);
    lines[1].available = Some(4);
    lines[1].price_when_added = eur(9_00);
    lines[2].status = Status::Unavailable;
    let mut whole = basket(lines, vec![]);
    let priced = priced(&whole, &added());
    let short = Problem::InsufficientStock { wanted: 5, available: 4 };
    let changed = Problem::PriceChanged { was: eur(9_00), now: eur(10_00) };
    let problems: Vec<_> = priced.lines.iter().map(|line| line.problems.clone()).collect();
    assert_eq!(problems, [vec![short.clone()], vec![short, changed], vec![Problem::Unavailable]]);
    assert!(priced.stopped());
    assert_eq!(priced.totals.items, eur(60_00), "what cannot be bought is still in the basket");
    whole.lines.truncate(2);
    whole.lines.iter_mut().for_each(|line| line.available = Some(5));
    let fits = super::price(&whole, &added(), &to("DE")).unwrap();
    assert!(!fits.stopped(), "a changed price is to be seen, no more");
}

#[test]
fn a_price_of_another_currency_shows_its_conversion_and_settles_at_its_rate() {
    let rate = FxRate {
        base: id("USD"),
        quote: id("EUR"),
        rate: "0.92".parse().unwrap(),
        as_of: date(2026, 3, 2),
        margin_percent: 2.into(),
        source: None,
    };
    let converted = |minor| Price::Converted(rate.convert(Money::new(minor, id("USD"))).unwrap());
    let mut abroad = line(2, 2, "gifts", 2, 9_38);
    abroad.price = converted(10_00);
    let mut basket = basket(vec![line(1, 1, "gifts", 1, 5_00), abroad], vec![]);
    let delivery = Chosen { service: Service::Express, price: converted(5_00) }; // 4.692
    basket.sellers[1] = Seller { delivery: Some(delivery), ..seller(2, None) };
    let answer = priced(&basket, &added());
    let part = &answer.merchants[1];
    assert_eq!(part.totals.total, eur(23_45)); // 2 × 9.38 + 4.69
    assert_eq!(part.rate.as_ref().unwrap().own(part.totals.total), Ok(Money::new(24_99, id("USD")))); // 24.989…
    // What the merchant asks for, twice 10.00 USD: not the 19.99 that 2 × 9.38 are.
    let parcel = part.parcel(&answer.lines).unwrap();
    assert_eq!(parcel, Parcel { grams: 500, value: Money::new(20_00, id("USD")) });
    assert_eq!(answer.merchants[0].rate, None);
    let Some(Component::Conversion { margin, .. }) = answer.components.last() else {
        panic!("no conversion")
    };
    assert_eq!(*margin, eur(45)); // 2 × 0.18 + 0.09

    // A line whose offer is gone has no price but the one that was seen.
    basket.lines.push(Line { status: Status::Unavailable, ..line(3, 2, "gifts", 1, 5_00) });
    assert_eq!(priced(&basket, &added()).merchants[1].rate.as_ref(), Some(&rate));
    let other = FxRate { rate: "0.93".parse().unwrap(), ..rate };
    basket.lines[2].price = Price::Converted(other.convert(Money::new(5_00, id("USD"))).unwrap());
    assert_eq!(price(&basket, &added(), &to("DE")), Err(Refused::TwoRates(merchant(2))));
    let silent = self::basket(
        vec![Line { price: Price::Offered(Money::new(1, id("USD"))), ..line(1, 1, "toys", 1, 1) }],
        vec![],
    );
    assert!(matches!(price(&silent, &added(), &to("DE")), Err(Refused::Money(MoneyError::Mixed { .. }))));
}

#[test]
fn a_business_abroad_pays_without_the_tax_that_stands_in_the_prices() {
    let buyer = TaxId::parse(id("DE"), "734470346").unwrap();
    let mut basket = basket(vec![line(1, 1, "toys", 1, 11_90), line(2, 1, "books", 1, 10_70)], vec![]);
    basket.sellers[0] = Seller { country: id("FR"), ..seller(1, Some(2_26)) };
    let to = Destination { buyer: Some(buyer), ..to("DE") };
    let priced = price(&basket, &policy(Prices::Included, Rounding::Line), &to).unwrap();
    // Delivery: 1.19 at 19 % and 1.07 at 7 %, by 11.90 and 10.70.
    assert_eq!(
        (priced.totals.total, priced.totals.relief, priced.totals.tax),
        (eur(22_00), eur(2_86), eur(0))
    );
    assert!(priced.lines.iter().all(|line| line.tax.owed_by == OwedBy::Customer));
}

/// Two merchants, one selling from abroad in dollars, three discounts, delivery from both.
fn full() -> (Basket, Policy) {
    let rate = FxRate {
        base: id("USD"),
        quote: id("EUR"),
        rate: "0.92".parse().unwrap(),
        as_of: date(2026, 3, 2),
        margin_percent: 2.into(),
        source: None,
    };
    let converted = |minor| Price::Converted(rate.convert(Money::new(minor, id("USD"))).unwrap());
    let mut abroad = line(3, 2, "toys", 2, 9_00);
    (abroad.price, abroad.available) = (converted(10_00), Some(1));
    let agreement = Discount {
        source: Source::Agreement(id("schools")),
        borne_by: BorneBy::Marketplace,
        ..off("-", percent(20), Scope::Category(id("books")))
    };
    let discounts = vec![
        off("spring", Benefit::Amount(eur(5_00)), Scope::Order),
        agreement,
        off("post", Benefit::FreeDelivery, Scope::Merchant(merchant(1))),
    ];
    let lines = vec![line(1, 1, "books", 3, 12_99), line(2, 1, "gifts", 1, 4_00), abroad];
    let delivery = Chosen { service: Service::Express, price: converted(5_00) };
    let abroad = Seller { country: id("US"), delivery: Some(delivery), ..seller(2, None) };
    let basket = Basket { sellers: vec![seller(1, Some(4_90)), abroad], ..basket(lines, discounts) };
    let deemed = vec![Deemed { area: Area::Country(id("DE")), sellers: Sellers::Abroad }];
    (basket, Policy { deemed, ..added() })
}

#[test]
fn every_total_is_explained() {
    let (basket, policy) = full();
    let priced = priced(&basket, &policy);
    let lines = priced.lines.iter().map(|line| format!("{}. {line}\n", line.number));
    let problems = priced
        .lines
        .iter()
        .flat_map(|line| line.problems.iter().map(|problem| format!("   line {}: {problem}\n", line.number)));
    let components =
        priced.components.iter().map(|part| format!("{:>12}  {part}\n", part.contribution().to_string()));
    let parts = priced
        .merchants
        .iter()
        .map(|part| format!("{:>12}  to {}\n", part.totals.total.to_string(), part.merchant));
    let page: String = lines.chain(problems).chain(components).chain(parts).collect();
    insta::assert_snapshot!(format!("{page}{:>12}  in all", priced.totals.total.to_string()));
}

#[test]
fn a_priced_basket_at_rest_keeps_its_shape() {
    let (basket, policy) = full();
    let priced = priced(&basket, &policy);
    insta::assert_snapshot!(serde_json::to_string_pretty(&priced).unwrap());
    assert_eq!(serde_json::from_value::<Priced>(serde_json::to_value(&priced).unwrap()).unwrap(), priced);
    assert_eq!(serde_json::from_value::<Basket>(serde_json::to_value(&basket).unwrap()).unwrap(), basket);
}

#[test]
fn a_basket_out_of_bounds_is_refused() {
    let refused = |basket: Basket| price(&basket, &added(), &to("DE")).unwrap_err();
    let lines = |count: u16| (1..=count).map(|number| line(number, 1, "toys", 1, 1_00)).collect::<Vec<_>>();
    assert!(price(&basket(lines(80), vec![]), &added(), &to("DE")).is_ok());
    assert_eq!(refused(basket(lines(81), vec![])), Refused::LineCount(81));
    let many: Vec<Line> = (1..=33).map(|of| line(u16::from(of), of, "toys", 1, 1_00)).collect();
    let sellers = (1..=33).map(|of| seller(of, None)).collect();
    assert_eq!(refused(Basket { sellers, ..basket(many, vec![]) }), Refused::MerchantCount(33));
    assert_eq!(
        refused(basket(vec![line(1, 1, "toys", 1, 1), line(1, 1, "toys", 1, 1)], vec![])),
        Refused::Number(1)
    );
    let none = basket(vec![line(1, 1, "toys", 0, 1)], vec![]);
    assert_eq!(refused(none), Refused::Quantity { line: 1, quantity: 0 });
    assert_eq!(
        refused(Basket { sellers: vec![], ..basket(lines(1), vec![]) }),
        Refused::NoSeller(merchant(1))
    );
    let discount = |benefit| refused(basket(lines(1), vec![off("x", benefit, Scope::Order)]));
    assert_eq!(discount(percent(101)), Refused::Percent(101.into()));
    assert_eq!(discount(Benefit::Amount(eur(-1))), Refused::Money(MoneyError::Negative(eur(-1))));
    let dear = basket(vec![line(1, 1, "toys", QUANTITY_MAX, crate::money::MAX_MINOR * 1_000)], vec![]);
    assert_eq!(refused(dear), Refused::Money(MoneyError::Overflow));
    assert_eq!(price(&basket(vec![], vec![]), &added(), &to("DE")).unwrap().totals.total, eur(0));
}

fn any_line() -> impl Strategy<Value = (u8, &'static str, u32, i64)> {
    let category = prop::sample::select(vec!["books", "toys", "gifts"]);
    (1_u8..5, category, 1_u32..20, prop_oneof![0_i64..4, 0_i64..100_000])
}

fn any_discount() -> impl Strategy<Value = Discount> {
    let benefit = prop_oneof![
        (0_i64..=10_000).prop_map(|p| Benefit::Percent(Decimal::new(p, 2))),
        (0_i64..200_000).prop_map(|minor| Benefit::Amount(eur(minor))),
        Just(Benefit::FreeDelivery),
    ];
    let scope = prop_oneof![
        Just(Scope::Order),
        prop::sample::select(vec!["books", "toys"]).prop_map(|category| Scope::Category(id(category))),
        (1_u8..5).prop_map(|of| Scope::Merchant(merchant(of))),
    ];
    let borne_by = prop::sample::select(vec![BorneBy::Merchant, BorneBy::Marketplace]);
    (benefit, scope, borne_by)
        .prop_map(|(benefit, scope, borne_by)| Discount { borne_by, ..off("c", benefit, scope) })
}

proptest! {
    #[test]
    fn a10_1_everything_sums_to_what_the_customer_pays(
        lines in prop::collection::vec(any_line(), 0..16),
        discounts in prop::collection::vec(any_discount(), 0..6),
        delivery in prop::collection::vec(prop::option::of(0_i64..2_000), 4),
        prices in prop::sample::select(vec![Prices::Included, Prices::Added]),
        rounding in prop::sample::select(vec![Rounding::Line, Rounding::Unit]),
        french in any::<bool>(),
    ) {
        let lines = (1..).zip(lines).map(|(number, (of, category, count, minor))| {
            line(number, of, category, count, minor)
        });
        let mut basket = basket(lines.collect(), discounts);
        basket.sellers = (1..).zip(delivery).map(|(of, minor)| seller(of, minor)).collect();
        basket.sellers[0].country = id("FR");
        let buyer = french.then(|| TaxId::parse(id("DE"), "734470346").unwrap());
        let to = Destination { buyer, ..to("DE") };
        let policy = policy(prices, rounding);
        let priced = price(&basket, &policy, &to).unwrap();
        prop_assert_eq!(&price(&basket, &policy, &to).unwrap(), &priced, "the same comes to the same");

        let sum = |amounts: Vec<Money>| Money::sum(basket.currency, amounts).unwrap();
        let total = priced.totals.total;
        let deliveries = || priced.merchants.iter().filter_map(|part| part.delivery.as_ref());
        let apart = priced.lines.iter().map(|line| line.total).chain(deliveries().map(|delivery| delivery.total));
        prop_assert_eq!(sum(apart.collect()), total, "lines and deliveries");
        prop_assert_eq!(sum(priced.merchants.iter().map(|part| part.totals.total).collect()), total, "merchants");
        prop_assert_eq!(sum(priced.components.iter().map(Component::contribution).collect()), total, "components");
        let all = priced.merchants.iter().map(|part| &part.totals).chain([&priced.totals]);
        for Totals { items, delivery, discount, supported, tax, relief, total } in all {
            let on_top = if prices == Prices::Added { *tax } else { eur(0) };
            let want = items.minor + delivery.minor - discount.minor - relief.minor + on_top.minor;
            prop_assert_eq!(total.minor, want);
            prop_assert!(0 <= supported.minor && supported.minor <= discount.minor);
            prop_assert!(relief.minor >= 0 && total.minor >= 0);
        }
        let given: i64 = priced.components.iter().filter(|part| matches!(part, Component::Discount { .. }))
            .map(|part| -part.contribution().minor).sum();
        prop_assert_eq!(given, priced.totals.discount.minor, "Σ shares = Σ discounts");
        for (line, asked) in priced.lines.iter().zip(&basket.lines) {
            prop_assert_eq!(line.number, asked.number);
            let left = line.items.minor - line.discounts.iter().map(|share| share.amount.minor).sum::<i64>();
            prop_assert!(left >= 0 && line.tax.base.minor >= 0 && line.tax.amount.minor >= 0);
            match prices {
                Prices::Added => prop_assert_eq!(line.tax.base.minor, left),
                Prices::Included if line.tax.reason == Reason::ReverseCharge => prop_assert!(line.total.minor <= left),
                Prices::Included => prop_assert_eq!(line.total.minor, left),
            }
        }
    }

    #[test]
    fn a_share_is_within_one_unit_of_its_exact_part(
        prices in prop::collection::vec(0_i64..100_000, 1..20),
        percent in 0_i64..=10_000,
    ) {
        let all: i64 = prices.iter().sum();
        let lines = (1..).zip(&prices).map(|(number, minor)| line(number, 1, "toys", 1, *minor)).collect();
        let discount = off("c", Benefit::Percent(Decimal::new(percent, 2)), Scope::Order);
        let priced = priced(&basket(lines, vec![discount]), &added());
        let whole = priced.totals.discount.minor;
        prop_assert_eq!(priced.totals.discount, eur(all).percent(Decimal::new(percent, 2)).unwrap());
        for (line, minor) in priced.lines.iter().zip(prices) {
            let share: i64 = line.discounts.iter().map(|share| share.amount.minor).sum();
            prop_assert!((share * all - whole * minor).abs() < all.max(1));
        }
    }
}
