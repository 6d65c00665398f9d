use super::*;
use crate::pim::sheet::Sheet;
use crate::pim::sheet::tests::patched;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + day * 86_400).unwrap()
}

/// A red shirt, 2 cm wide, for 19.99, created on day 10.
struct Shirt {
    id: ProductId,
    sheet: Sheet,
    categories: BTreeSet<Category>,
    merchants: BTreeSet<MerchantId>,
    brand: Word,
}

fn shirt(id: u128) -> Shirt {
    Shirt {
        id: ProductId::from_bits(id),
        sheet: patched(
            r#"{"values":{"color":[{"data":"red"}],"size":[{"data":2}],"tags":[{"data":["new","eco"]}]}}"#,
        ),
        categories: ["clothes", "shirts"].map(|category| category.parse().unwrap()).into(),
        merchants: [MerchantId::from_bits(7)].into(),
        brand: "Ember".parse().unwrap(),
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

impl Shirt {
    fn facts<'a>(&'a self, title: &'a str, prices: &'a [Money], day: i64) -> Facts<'a> {
        Facts {
            product: &self.id,
            title,
            categories: &self.categories,
            content: &self.sheet.content,
            brand: Some(&self.brand),
            prices,
            home: Some("EUR".parse().unwrap()),
            merchants: &self.merchants,
            created_at: at(day),
        }
    }
}

fn rule(must: &str, conditions: &[&str]) -> Rule {
    let text = format!(r#"{{"must":"{must}","conditions":[{}]}}"#, conditions.join(","));
    let rule: Rule = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::from_str::<Rule>(&serde_json::to_string(&rule).unwrap()).unwrap(), rule);
    rule
}

#[test]
fn a_condition_holds_or_does_not() {
    let shirt = shirt(1);
    let table = [
        (r#"{"on":"category","any":["hats","clothes"]}"#, true),
        (r#"{"on":"category","any":["hats"]}"#, false),
        (r#"{"on":"brand","any":["Ember"]}"#, true),
        (r#"{"on":"brand","any":["ember"]}"#, false),
        (r#"{"on":"merchant","any":["mer_00000000000000000000000007"]}"#, true),
        (r#"{"on":"price","min":[1999,"EUR"],"max":[1999,"EUR"]}"#, true),
        (r#"{"on":"price","max":[1998,"EUR"]}"#, false),
        (r#"{"on":"price","min":[1,"USD"]}"#, false),
        (r#"{"on":"created","from":"2026-01-15T08:00:00Z"}"#, true),
        (r#"{"on":"created","until":"2026-01-15T08:00:00Z"}"#, false),
        (r#"{"on":"new","days":5}"#, true),
        (r#"{"on":"new","days":4}"#, false),
        (r#"{"on":"attribute","attribute":"color","test":{"any":["red","blue"]}}"#, true),
        (r#"{"on":"attribute","attribute":"color","test":{"any":["blue"]}}"#, false),
        (r#"{"on":"attribute","attribute":"tags","test":{"any":["eco"]}}"#, true),
        (r#"{"on":"attribute","attribute":"brand","test":"filled"}"#, false),
        (
            r#"{"on":"attribute","attribute":"size","test":{"between":{"min":"0.5","max":"1","unit":"in"}}}"#,
            true,
        ),
        (r#"{"on":"attribute","attribute":"size","test":{"between":{"min":"1","unit":"in"}}}"#, false),
        (r#"{"on":"attribute","attribute":"size","test":{"between":{"min":"1","unit":"kg"}}}"#, false),
    ];
    for (condition, want) in table {
        let rule = rule("all", &[condition]);
        assert_eq!(rule.check(), Ok(()), "{condition}");
        assert_eq!(matches(&rule, &shirt.facts("Shirt", &[eur(1999)], 10), at(15)), want, "{condition}");
    }
}

#[test]
fn a_price_is_asked_for_in_its_own_currency_whoever_sells_for_less_of_another() {
    let shirt = shirt(1);
    let usd = |minor| Money::new(minor, "USD".parse().unwrap());
    let prices = lowest([usd(1900), eur(1500), usd(1200), eur(1700)], Some("EUR".parse().unwrap()));
    assert_eq!(prices, [eur(1500), usd(1200)]);
    let facts = shirt.facts("Shirt", &prices, 10);
    for (condition, want) in [
        (r#"{"on":"price","max":[2000,"EUR"]}"#, true),
        (r#"{"on":"price","min":[1500,"EUR"],"max":[1500,"EUR"]}"#, true),
        (r#"{"on":"price","max":[1499,"EUR"]}"#, false),
        (r#"{"on":"price","max":[1200,"USD"]}"#, true),
        (r#"{"on":"price","min":[1201,"USD"]}"#, false),
        (r#"{"on":"price","max":[2000,"CHF"]}"#, false),
    ] {
        assert_eq!(matches(&rule("all", &[condition]), &facts, at(15)), want, "{condition}");
    }
    assert_eq!(lowest([usd(1), eur(2)], None), [eur(2), usd(1)], "by their codes");
}

#[test]
fn prices_of_other_currencies_stand_behind_those_of_the_marketplace_and_before_none() {
    let shirts = [1, 2, 3, 4].map(shirt);
    let prices = [vec![Money::new(100, "USD".parse().unwrap())], vec![eur(900)], vec![], vec![eur(300)]];
    for (order, want) in [(Order::PriceUp, [4, 2, 1, 3]), (Order::PriceDown, [2, 4, 1, 3])] {
        let collection = collection(Members::Chosen(vec![]), order);
        let mut numbers = [1, 2, 3, 4];
        numbers.sort_by_key(|n| collection.place(&shirts[n - 1].facts("A", &prices[n - 1], 1)));
        assert_eq!(numbers, want);
    }
}

#[test]
fn all_conditions_must_hold_or_any() {
    let shirt = shirt(1);
    let facts = shirt.facts("Shirt", &[], 10);
    let (yes, no) = (r#"{"on":"brand","any":["Ember"]}"#, r#"{"on":"new","days":1}"#);
    let has = |must, conditions: &[&str]| matches(&rule(must, conditions), &facts, at(15));
    assert_eq!([has("all", &[yes, yes]), has("all", &[yes, no])], [true, false]);
    assert_eq!([has("any", &[no, yes]), has("any", &[no, no])], [true, false]);
}

fn collection(members: Members, order: Order) -> Collection {
    let code = "sale".parse().unwrap();
    Collection { code, labels: Labels::new(), members, order, from: Some(at(20)), until: Some(at(30)) }
}

#[test]
fn what_will_be_on_can_be_looked_at_before() {
    let shirt = shirt(1);
    let sale = collection(Members::Rule(rule("all", &[r#"{"on":"new","days":14}"#])), Order::Newest);
    assert_eq!([19, 20, 29, 30].map(|day| sale.is_on(at(day))), [false, true, true, false]);
    let facts = shirt.facts("Shirt", &[], 10);
    assert_eq!([15, 24, 25].map(|day| sale.has(&facts, at(day))), [true, true, false]);
}

#[test]
fn a_page_has_one_order_whatever_order_it_is_read_in() {
    let shirts = [1, 2, 3, 4].map(shirt);
    let (one, three) = ([eur(100)], [eur(300)]);
    let facts = [
        shirts[0].facts("B", &three, 1),
        shirts[1].facts("A", &[], 3),
        shirts[2].facts("C", &one, 2),
        shirts[3].facts("A", &three, 2),
    ];
    let by = |members: Members, order| {
        let collection = collection(members, order);
        let mut sorted: Vec<&Facts<'_>> = facts.iter().rev().collect();
        sorted.sort_by_key(|facts| collection.place(facts));
        let number =
            |facts: &&Facts<'_>| shirts.iter().position(|shirt| shirt.id == *facts.product).unwrap() + 1;
        sorted.iter().map(number).collect::<Vec<_>>()
    };
    let any = || Members::Rule(rule("any", &[r#"{"on":"new","days":14}"#]));
    let chosen = Members::Chosen([4, 1, 3, 2].map(ProductId::from_bits).into());
    assert_eq!(by(chosen, Order::Chosen), [4, 1, 3, 2]);
    assert_eq!(by(any(), Order::Chosen), [2, 4, 1, 3]);
    assert_eq!(by(any(), Order::Newest), [2, 3, 4, 1]);
    assert_eq!(by(any(), Order::PriceUp), [3, 1, 4, 2]);
    assert_eq!(by(any(), Order::PriceDown), [1, 4, 3, 2]);
    assert_eq!(by(any(), Order::Title), [2, 4, 1, 3]);
}

#[test]
fn what_is_new_leaves_when_it_is_new_no_more_unless_something_else_keeps_it() {
    let shirt = shirt(1);
    let facts = shirt.facts("Shirt", &[], 10);
    let (new, newer) = (r#"{"on":"new","days":14}"#, r#"{"on":"new","days":3}"#);
    let brand = r#"{"on":"brand","any":["Ember"]}"#;
    let leaves = |must, conditions: &[&str]| {
        collection(Members::Rule(rule(must, conditions)), Order::Title).leaves_at(&facts, at(11))
    };
    let end = |day| Some(at(day) + SignedDuration::from_millis(1));
    assert_eq!(leaves("all", &[new, newer, brand]), end(13));
    assert_eq!(leaves("any", &[new, newer]), end(24));
    assert_eq!(leaves("any", &[new, brand]), None);
    assert_eq!(leaves("all", &[brand]), None);
    // Until that moment it is in it, and from then on not.
    let sale = collection(Members::Rule(rule("all", &[newer])), Order::Title);
    let leaves = sale.leaves_at(&facts, at(11)).unwrap();
    assert_eq!([at(13), leaves].map(|moment| sale.has(&facts, moment)), [true, false]);
}

#[test]
fn titles_are_compared_whatever_their_capitals() {
    let shirts = [1, 2, 3].map(shirt);
    let titled = collection(Members::Chosen(vec![]), Order::Title);
    let place = |at: usize, title| titled.place(&shirts[at].facts(title, &[], 1));
    assert!(place(0, "apple") < place(1, "Banana") && place(1, "Banana") < place(2, "banana split"));
    assert!(place(0, "Apple") < place(1, "apple"), "equals stand by their ids");
}

#[test]
fn a_collection_that_asks_for_nothing_is_refused() {
    let refused = |must, conditions: &[&str]| rule(must, conditions).check().unwrap_err().to_string();
    assert_eq!(refused("all", &[]), "a rule has 1 to 20 conditions, not 0");
    let nothing = "asks for nothing, for too much, or for a smallest above the largest";
    for condition in [
        r#"{"on":"brand","any":[]}"#,
        r#"{"on":"price"}"#,
        r#"{"on":"price","min":[2,"EUR"],"max":[1,"EUR"]}"#,
        r#"{"on":"new","days":0}"#,
        r#"{"on":"attribute","attribute":"size","test":{"between":{}}}"#,
    ] {
        assert_eq!(refused("any", &[condition]), format!("condition 0 {nothing}"), "{condition}");
    }
    assert_eq!(
        refused("any", &[r#"{"on":"price","min":[1,"EUR"],"max":[2,"USD"]}"#]),
        "condition 0 has prices in EUR and USD"
    );
    let twice = Members::Chosen(vec![ProductId::from_bits(1), ProductId::from_bits(1)]);
    assert_eq!(collection(twice, Order::Chosen).check(), Err(BadCollection::Chosen));
    let ends = Collection { until: Some(at(20)), ..collection(Members::Chosen(vec![]), Order::Chosen) };
    assert_eq!(ends.check(), Err(BadCollection::Dates));
}
