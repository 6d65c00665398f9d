use super::*;
use proptest::prelude::*;

/// An address that is as its country writes it, but for what a test changes.
fn raw(country: &str, region: &str, postal_code: &str) -> RawAddress {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    RawAddress {
        country: country.to_owned(),
        name: "Ada Berg".to_owned(),
        lines: vec!["1 High Street".to_owned()],
        city: Some("Town".to_owned()),
        region: given(region),
        postal_code: given(postal_code),
        ..RawAddress::default()
    }
}

/// Postal code as written, region, confidence; or the problems.
fn told(raw: &RawAddress) -> String {
    match check(raw) {
        Ok(Checked { address, confidence }) => {
            let word = |word: &Option<Word>| word.as_ref().map_or("-", Word::as_str).to_owned();
            format!("{} {} {confidence:?}", word(&address.postal_code), word(&address.region))
        }
        Err(problems) => problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn a_postal_code_is_written_as_its_country_writes_it() {
    let page: String = [
        ("AT", "", "1010"),
        ("AT", "", "A-1010"),
        ("AT", "", "10100"),
        ("BR", "SP", "40301110"),
        ("BR", "sao paulo", "40301-110"),
        ("CA", "ON", "k1a0b1"),
        ("CA", "Québec", "H3Z 2Y7"),
        ("CA", "ON", "K1A 0BB"),
        ("CZ", "", "10000"),
        ("DE", "", "D-10115"),
        ("DE", "", "DE 10115"),
        ("DE", "", "1011"),
        ("GB", "", "sw1a1aa"),
        ("GB", "", "M2 5BQ"),
        ("GB", "", "BFPO 61"),
        ("GB", "", "SW1A 1A"),
        ("IE", "", "A65F4E2"),
        ("IE", "", ""),
        ("JP", "東京都", "１５４－００２３"),
        ("LU", "", "L-4750"),
        ("LV", "", "1073"),
        ("LV", "", "LV-1073"),
        ("MT", "", "VCT 1753"),
        ("NL", "", "1234ab"),
        ("PL", "", "00950"),
        ("PT", "", "2725-079"),
        ("SG", "", "546080"),
        ("SE", "", "114 55"),
        ("US", "New York", "10001"),
        ("US", "ny", "10001 1234"),
        ("US", "NY", "10001"),
        ("US", "ZZ", "1"),
        ("AE", "Dubai", ""),
        ("AE", "Dubai", "00000"),
        ("KE", "", "anything 1"),
        ("XX", "", ""),
        ("", "", ""),
    ]
    .iter()
    .map(|(country, region, code)| {
        format!("{country:<3}{region:<10}{code:<12}{}\n", told(&raw(country, region, code)))
    })
    .collect();
    insta::assert_snapshot!(page);
}

#[test]
fn every_problem_is_told_at_once_with_its_field() {
    let bad = RawAddress {
        country: "US".to_owned(),
        name: " ".to_owned(),
        company: Some("x".repeat(201)),
        lines: vec!["a\u{202e}b".to_owned()],
        city: Some("Spring\u{0}field".to_owned()),
        region: None,
        postal_code: Some("ABCDE".to_owned()),
        phone: Some("call me".to_owned()),
    };
    let problems = check(&bad).unwrap_err();
    let fields: Vec<&str> = problems.iter().map(|problem| problem.field.word()).collect();
    assert_eq!(fields, ["name", "company", "lines", "city", "region", "postal_code", "phone"]);
    assert_eq!(problems[0].to_string(), "name: it is missing");
    let five = RawAddress { lines: vec!["x".to_owned(); 5], ..raw("DE", "", "10115") };
    assert_eq!(check(&five).unwrap_err(), [Problem { field: Field::Lines, what: What::Lines(5) }]);
    let none = RawAddress { lines: vec![" ".to_owned()], ..raw("DE", "", "10115") };
    assert_eq!(check(&none).unwrap_err(), [Problem { field: Field::Lines, what: What::Missing }]);
}

#[test]
fn a_name_is_what_its_bearer_writes() {
    for name in
        ["<script>alert(1)</script>", "O'Neil; DROP TABLE", "李小龍", "محمد", "می\u{200c}خواهم", "Zoë 👩‍👩‍👧"]
    {
        let given = RawAddress { name: name.to_owned(), ..raw("DE", "", "10115") };
        let checked = check(&given).unwrap();
        assert_eq!(checked.address.name.as_str(), name);
        assert_eq!(checked.confidence, Confidence::VerifiedFormat);
    }
}

#[test]
fn a_telephone_number_keeps_its_digits() {
    let phone = |text: &str| {
        let given = RawAddress { phone: Some(text.to_owned()), ..raw("DE", "", "10115") };
        check(&given).ok().and_then(|checked| checked.address.phone).map(String::from)
    };
    assert_eq!(phone("+49 (30) 123-456"), Some("+4930123456".to_owned()));
    assert_eq!(phone("030/123.456"), Some("030123456".to_owned()));
    for text in ["123", "+", "12a45", "++4930123456", "１２３４５"] {
        assert_eq!(phone(text), None, "{text}");
    }
}

#[test]
fn an_address_at_rest_keeps_its_shape() {
    let address = check(&raw("US", "New York", "10001")).unwrap().address;
    insta::assert_snapshot!(serde_json::to_string_pretty(&address).unwrap());
    assert_eq!(serde_json::from_value::<Address>(serde_json::to_value(&address).unwrap()).unwrap(), address);
}

proptest! {
    #[test]
    fn a_checked_address_is_as_its_country_writes_it(
        country in prop::sample::select(vec!["DE", "GB", "US", "JP", "LV", "BR", "AE", "KE"]),
        name in "\\PC{0,30}",
        line in "[ -~]{0,30}",
        region in prop::sample::select(vec!["", "ny", "São Paulo", "SP", "x"]),
        code in "[a-zA-Z0-9 -]{0,10}",
    ) {
        let given = RawAddress { name, lines: vec![line], ..raw(country, region, &code) };
        if let Ok(Checked { address, confidence }) = check(&given) {
            let text = |word: Option<Word>| word.map(String::from);
            let again = check(&RawAddress {
                country: address.country.to_string(),
                name: address.name.to_string(),
                company: None,
                lines: address.lines.iter().map(ToString::to_string).collect(),
                city: address.city.clone().map(String::from),
                region: text(address.region.clone()),
                postal_code: text(address.postal_code.clone()),
                phone: None,
            });
            let settled = confidence.min(Confidence::VerifiedFormat);
            let want = if confidence == Confidence::UnknownCountryFormat { confidence } else { settled };
            prop_assert_eq!(again, Ok(Checked { address, confidence: want }));
        }
    }
}
