use super::*;
use domain::stock::Held;

fn cart(number: u128) -> CartId {
    CartId::from_bits(number)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

/// A step's expression and condition, and the values in them.
fn said(from: u32, to: u32, drops: &[(u128, u32)]) -> (String, String, String) {
    let drops =
        drops.iter().map(|(of, quantity)| (cart(*of), Held { quantity: *quantity, until: at(1_000) }));
    let step = Step { location: "main".parse().unwrap(), bin: 0, from, to, drops: drops.collect() };
    let ask = Ask { m: &MarketplaceId::from_bits(1), cart: &cart(9), until: at(9_000), now: at(2_000) };
    let mut rewrite = Rewrite::of(&step, ask);
    let expression = rewrite.expression();
    let mut values: Vec<String> = rewrite
        .values
        .iter()
        .filter_map(|(name, value)| Some(format!("{name} {}", value.as_n().ok()?)))
        .collect();
    values.sort();
    (expression, rewrite.conditions.join(" AND "), values.join(" "))
}

fn three(texts: [&str; 3]) -> (String, String, String) {
    let [expression, condition, values] = texts.map(str::to_owned);
    (expression, condition, values)
}

#[test]
fn a7_1_a_hold_is_one_update_with_the_units_in_its_condition() {
    let put = "SET holds.#cart = :hold ADD available :by, revision :one";
    let new = "attribute_not_exists(holds.#cart) AND size(holds) < :room AND available >= :need";
    assert_eq!(said(0, 3, &[]), three([put, new, ":by -3 :need 3 :one 1 :room 100"]));
    let kept = "holds.#cart.#quantity = :from";
    assert_eq!(said(3, 3, &[]), three([put, kept, ":by 0 :from 3 :one 1"]));
    let more = "holds.#cart.#quantity = :from AND available >= :need";
    assert_eq!(said(3, 5, &[]), three([put, more, ":by -2 :from 3 :need 2 :one 1"]));
    assert_eq!(said(3, 1, &[]), three([put, kept, ":by 2 :from 3 :one 1"]));
    let gone = "REMOVE holds.#cart ADD available :by, revision :one";
    assert_eq!(said(3, 0, &[]), three([gone, kept, ":by 3 :from 3 :one 1"]));
}

#[test]
fn an_expired_hold_is_taken_away_only_as_it_was_seen_and_only_if_it_is_over() {
    let expression = "SET holds.#cart = :hold REMOVE holds.#x0, holds.#x1 ADD available :by, revision :one";
    let condition = "holds.#x0.#quantity = :x0 AND holds.#x0.#until < :now \
                     AND holds.#x1.#quantity = :x1 AND holds.#x1.#until < :now \
                     AND attribute_not_exists(holds.#cart) AND available >= :need";
    let values = ":by 2 :need -2 :now 2000 :one 1 :x0 4 :x1 1";
    assert_eq!(said(0, 3, &[(1, 4), (2, 1)]), three([expression, condition, values]));
}

#[test]
fn what_one_write_takes_away_fits_an_expression() {
    let drops: Vec<(u128, u32)> = (0..40).map(|of| (of, 1)).collect();
    let (expression, condition, _) = said(0, 40, &drops);
    // DynamoDB's bounds: 4 KB an expression, 300 operators.
    assert!(expression.len() < 4_096 && condition.len() < 4_096, "{} {}", expression.len(), condition.len());
    let operators = condition.matches(" = ").count() + condition.matches(" < ").count();
    assert!(operators + condition.matches(" AND ").count() + condition.matches(" >= ").count() < 300);
}
