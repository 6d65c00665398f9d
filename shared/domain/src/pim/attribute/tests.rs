use super::*;

fn json(text: &str) -> Data {
    serde_json::from_str(text).unwrap()
}

fn kind(text: &str) -> Kind {
    let kind: Kind = serde_json::from_str(text).unwrap();
    assert_eq!(kind.declare(), Ok(()), "{text}");
    kind
}

const SIZES: &str = r#"{"is":"table","columns":[
    {"code":"size","kind":{"is":"text","max":10}},
    {"code":"chest","kind":{"is":"measure","dimension":"length","unit":"cm"}}]}"#;
const COLORS: &str = r#"{"is":"options","choices":[{"code":"red","labels":{"de":"Rot"}},{"code":"blue"}]}"#;

#[test]
fn a_value_that_fits_comes_back_in_its_one_spelling() {
    let table = [
        (r#"{"is":"text","max":5}"#, r#""größe""#, r#""größe""#),
        (r#"{"is":"text","max":5,"lines":true}"#, r#""a\nb""#, r#""a\nb""#),
        (r#"{"is":"rich_text","max":40}"#, r#""<b>x</b><script>1</script>""#, r#""<strong>x</strong>""#),
        (r#"{"is":"number","decimals":2}"#, r#""06.500""#, r#""6.5""#),
        (r#"{"is":"number","decimals":0,"min":"-1","max":"9"}"#, "9", r#""9""#),
        (r#"{"is":"number","decimals":0}"#, r#""-0.0""#, r#""0""#),
        (
            r#"{"is":"measure","dimension":"mass","unit":"g"}"#,
            r#"{"unit":"kg","amount":"1.50"}"#,
            r#"{"amount":"1.5","unit":"kg"}"#,
        ),
        (r#"{"is":"measure","dimension":"mass","unit":"g"}"#, "250", r#"{"amount":"250","unit":"g"}"#),
        (
            r#"{"is":"money"}"#,
            r#"{"amount":"9.9","currency":"EUR"}"#,
            r#"{"amount":"9.90","currency":"EUR"}"#,
        ),
        (r#"{"is":"boolean"}"#, "false", "false"),
        (r#"{"is":"date"}"#, r#""2026-02-28""#, r#""2026-02-28""#),
        (COLORS, r#"["blue","red"]"#, r#"["red","blue"]"#),
        (
            SIZES,
            r#"[{"size":"S","chest":90},{"chest":{"amount":"36.0","unit":"in"}}]"#,
            r#"[{"chest":{"amount":"90","unit":"cm"},"size":"S"},{"chest":{"amount":"36","unit":"in"}}]"#,
        ),
        (r#"{"is":"reference","to":"category"}"#, r#""mugs""#, r#""mugs""#),
        (r#"{"is":"reference","to":"asset"}"#, r#""ast_00000000""#, r#""ast_00000000""#),
    ];
    for (declared, data, want) in table {
        let checked = kind(declared).check(&json(data)).unwrap();
        assert_eq!(serde_json::to_string(&checked).unwrap(), want, "{declared}");
        assert_eq!(kind(declared).check(&checked), Ok(checked), "a spelling is its own: {declared}");
    }
}

#[test]
fn a_refusal_says_where_and_what_was_wanted() {
    let number = r#"{"is":"number","decimals":1,"min":"0","max":"5"}"#;
    let mass = r#"{"is":"measure","dimension":"mass","unit":"g"}"#;
    let table = [
        (r#"{"is":"text","max":5}"#, r#""abcdef""#, "it has 6 characters: want at most 5"),
        (r#"{"is":"text","max":5}"#, r#""""#, "it is empty: leave it out, or say null to remove it"),
        (
            r#"{"is":"text","max":5}"#,
            r#""a\nb""#,
            "it has a control character, a mark that turns the direction of text, or a blank at an end",
        ),
        (r#"{"is":"text","max":5}"#, "7", "it is a text or number: want a text"),
        (
            r#"{"is":"rich_text","max":9}"#,
            r#""<p> </p>""#,
            "it is empty: leave it out, or say null to remove it",
        ),
        (number, r#""1e3""#, "`1e3` is no decimal number like 12.5"),
        (number, r#""1_0""#, "`1_0` is no decimal number like 12.5"),
        (number, r#""0.25""#, "0.25 has more decimals than 1"),
        (number, "-1", "-1 is below 0"),
        (number, r#""5.1""#, "5.1 is above 5"),
        (number, "[1]", "it is an array: want a number"),
        (mass, r#"{"amount":"1"}"#, "`unit` is missing"),
        (
            mass,
            r#"{"amount":"1","unit":"cm"}"#,
            "unit: `cm` is no unit of it: want one of mg, g, kg, t, oz, lb, st",
        ),
        (mass, r#"{"amount":"x","unit":"g"}"#, "amount: `x` is no decimal number like 12.5"),
        (mass, r#"{"amount":"1","unit":"g","of":"x"}"#, "there is no `of` here"),
        (r#"{"is":"money"}"#, r#"{"amount":"1","currency":"eur"}"#, "currency: `eur` is no currency"),
        (
            r#"{"is":"money"}"#,
            r#"{"amount":"1.234","currency":"EUR"}"#,
            "amount: `1.234` has more decimals than EUR has (2)",
        ),
        (r#"{"is":"boolean"}"#, r#""yes""#, "it is a text or number: want true or false"),
        (r#"{"is":"date"}"#, r#""2026-02-30""#, "`2026-02-30` is no day like 2026-11-26"),
        (r#"{"is":"option","choices":[{"code":"red"}]}"#, r#""green""#, "`green` is none of its options"),
        (COLORS, r#"["red","red"]"#, "1: `red` is there twice"),
        (COLORS, "[]", "it is empty: leave it out, or say null to remove it"),
        (SIZES, r#"[{"size":"S"},{"size":"M","width":3}]"#, "1: there is no `width` here"),
        (SIZES, r#"[{"size":"S"},{"chest":"x"}]"#, "1/chest: `x` is no decimal number like 12.5"),
        (r#"{"is":"reference","to":"product"}"#, r#""mug""#, "`mug` does not name a product"),
    ];
    for (declared, data, want) in table {
        let wrong = kind(declared).check(&json(data)).unwrap_err();
        assert_eq!(wrong.to_string(), want, "{declared} with {data}");
    }
}

#[test]
fn a_value_stands_where_the_scope_has_it_and_nowhere_else() {
    let attribute = |per_locale, per_channel| Attribute {
        code: "color".parse().unwrap(),
        kind: Kind::Boolean,
        scope: Scope { per_locale, per_channel },
        labels: Labels::new(),
        group: None,
    };
    let place = |locale: Option<&str>, channel: Option<&str>| Place {
        locale: locale.map(|text| text.parse().unwrap()),
        channel: channel.map(|text| text.parse().unwrap()),
    };
    let refused = |per_locale, per_channel, locale, channel| {
        attribute(per_locale, per_channel).fit(&place(locale, channel)).map_err(|flaw| flaw.to_string())
    };
    assert_eq!(refused(false, false, None, None), Ok(()));
    assert_eq!(refused(true, true, Some("de"), Some("web")), Ok(()));
    assert_eq!(
        refused(false, true, Some("de"), Some("web")),
        Err("it has a locale: its values are the same in all locales".to_owned())
    );
    assert_eq!(
        refused(true, false, None, None),
        Err("it has no locale: its values are per locale".to_owned())
    );
    assert_eq!(
        refused(true, false, Some("de"), Some("web")),
        Err("it has a channel: its values are the same in all channels".to_owned())
    );
    assert_eq!(
        refused(false, true, None, None),
        Err("it has no channel: its values are per channel".to_owned())
    );
}

#[test]
fn an_attribute_that_nobody_could_fill_is_not_declared() {
    let refused = |text: &str| serde_json::from_str::<Kind>(text).unwrap().declare().unwrap_err().to_string();
    assert_eq!(refused(r#"{"is":"text","max":0}"#), "a text has 1 to 10000 characters at the most");
    assert_eq!(
        refused(r#"{"is":"number","decimals":0,"min":"2","max":"1"}"#),
        "a number has at most 9 decimals, and its smallest is not above its largest"
    );
    assert_eq!(refused(r#"{"is":"measure","dimension":"mass","unit":"cm"}"#), "cm does not measure that");
    assert_eq!(refused(r#"{"is":"option","choices":[]}"#), "want 1 to 1000 options, each once");
    assert_eq!(
        refused(r#"{"is":"options","choices":[{"code":"a"},{"code":"a"}]}"#),
        "want 1 to 1000 options, each once"
    );
    assert_eq!(
        refused(r#"{"is":"table","columns":[{"code":"t","kind":{"is":"table","columns":[]}}]}"#),
        "column t is a text, number, measure, truth or option, and nothing else"
    );
}

fn attribute(kind: Kind, scope: Scope) -> Attribute {
    Attribute { code: "a".parse().unwrap(), kind, scope, labels: Labels::new(), group: None }
}

#[test]
fn what_an_attribute_means_stays_and_its_bounds_may_change() {
    let everywhere = Scope::default();
    let of = |text: &str| attribute(kind(text), everywhere);
    let number = of(r#"{"is":"number","decimals":2}"#);
    assert_eq!(number.may_become(&of(r#"{"is":"number","decimals":0,"max":"9"}"#)), Ok(()));
    assert_eq!(of(COLORS).may_become(&of(r#"{"is":"options","choices":[{"code":"red"}]}"#)), Ok(()));
    let length = of(r#"{"is":"measure","dimension":"length","unit":"cm"}"#);
    assert_eq!(length.may_become(&of(r#"{"is":"measure","dimension":"length","unit":"in"}"#)), Ok(()));
    let mass = of(r#"{"is":"measure","dimension":"mass","unit":"kg"}"#);
    let fixed = |is, want| Err(BadAttribute::Fixed { is, want });
    assert_eq!(length.may_become(&mass), fixed("measure", "measure"));
    assert_eq!(number.may_become(&mass), fixed("number", "measure"));
    let [product, asset] = ["product", "asset"].map(|to| of(&format!(r#"{{"is":"reference","to":"{to}"}}"#)));
    assert_eq!(product.may_become(&asset), fixed("reference", "reference"));
    let local = attribute(number.kind.clone(), Scope { per_locale: true, ..everywhere });
    assert_eq!(number.may_become(&local), Err(BadAttribute::ScopeFixed));
}

#[test]
fn the_word_of_a_kind_is_the_one_at_rest() {
    for text in [
        r#"{"is":"text","max":9}"#,
        r#"{"is":"rich_text","max":9}"#,
        r#"{"is":"number","decimals":0}"#,
        r#"{"is":"measure","dimension":"mass","unit":"g"}"#,
        r#"{"is":"money"}"#,
        r#"{"is":"boolean"}"#,
        r#"{"is":"date"}"#,
        r#"{"is":"option","choices":[{"code":"red"}]}"#,
        COLORS,
        SIZES,
        r#"{"is":"reference","to":"asset"}"#,
    ] {
        assert_eq!(json(text).as_map().unwrap()["is"], Data::text(kind(text).word()));
    }
}

#[test]
fn an_attribute_is_one_item_however_many_options_it_has() {
    let label =
        |letters: usize| Labels::from([("de".parse().unwrap(), "x".repeat(letters).parse().unwrap())]);
    let choice = |number: usize, letters| Choice {
        code: format!("c{number:03}").parse().unwrap(),
        labels: label(letters),
    };
    let with = |letters| {
        attribute(Kind::Option { choices: (0..1000).map(|n| choice(n, letters)).collect() }, Scope::default())
    };
    assert_eq!(with(160).declare(), Ok(()));
    assert_eq!(with(161).declare(), Err(BadAttribute::Large(201_000)));
}
