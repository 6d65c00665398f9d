use super::*;
use domain::address::Address;
use domain::id::{CustomerId, SubscriptionId};
use domain::invoice::Cause;
use domain::tax::id::TaxId;

fn money(minor: i64, currency: &str) -> Money {
    Money::new(minor, currency.parse().unwrap())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn month() -> Period {
    Period { from: at("2026-02-28T23:00:00Z"), until: at("2026-03-31T22:00:00Z") }
}

fn line(plan: u128, (base, tax): (i64, i64), percent: &str, reason: Reason) -> Line {
    Line {
        what: What::Charge,
        plan: PlanId::from_bits(plan),
        quantity: 1,
        period: month(),
        base: money(base, "EUR"),
        tax: money(tax, "EUR"),
        percent: percent.parse().unwrap(),
        reason,
    }
}

fn invoice(lines: Vec<Line>) -> Invoice {
    let subscription = SubscriptionId::from_bits(7);
    Invoice {
        id: domain::id::InvoiceId::of(&subscription, 1),
        subscription,
        customer: CustomerId::from_bits(9),
        kind: Kind::Invoice,
        cause: Cause::Renewal,
        period: month(),
        credit: Money::zero(lines[0].base.currency),
        lines,
        opened_at: at("2026-03-01T00:00:05Z"),
        bill_to: None,
        corrects: None,
        number: Some(Number { year: 2026, sequence: 17 }),
        stage: Stage::Open,
    }
}

fn issuer() -> Issuer {
    Issuer {
        name: "Corner Market GmbH".parse().unwrap(),
        lines: vec!["Uferstraße 12".parse().unwrap(), "20095 Hamburg".parse().unwrap()],
        country: "DE".parse().unwrap(),
        tax_id: Some("DE123456788".parse().unwrap()),
    }
}

fn recipient() -> Recipient {
    Recipient {
        subscription: SubscriptionId::from_bits(7),
        address: Address {
            country: "PL".parse().unwrap(),
            name: "Łucja Żółć".parse().unwrap(),
            company: Some("Кофейня Ωμέγα".parse().unwrap()),
            lines: vec!["ul. Krótka 5".parse().unwrap()],
            city: Some("Kraków".parse().unwrap()),
            region: None,
            postal_code: Some("30-001".parse().unwrap()),
            phone: None,
        },
        tax_id: Some(TaxId::parse("PL".parse().unwrap(), "5260250274").unwrap()),
    }
}

fn names() -> BTreeMap<PlanId, Name> {
    BTreeMap::from([
        (PlanId::from_bits(1), "Tea of the month".parse().unwrap()),
        (PlanId::from_bits(2), "Reading room".parse().unwrap()),
    ])
}

fn file(invoice: &Invoice, issuer: &Issuer, recipient: Option<&Recipient>) -> Result<Vec<u8>, Unprintable> {
    let (plans, zone) = (names(), "Europe/Berlin".parse().unwrap());
    write(&Printed { issuer, recipient, invoice, corrects: None, plans: &plans, zone: &zone })
}

/// What the rows say, row by row.
fn said(invoice: &Invoice) -> String {
    let (issuer, recipient, plans) = (issuer(), recipient(), names());
    let zone = "Europe/Berlin".parse().unwrap();
    let corrects = invoice.corrects.map(|sequence| Number { year: 2026, sequence });
    let (issuer, recipient) = (&issuer, Some(&recipient));
    let printed = Printed { issuer, recipient, invoice, corrects, plans: &plans, zone: &zone };
    let mut rows = head(&printed, invoice.number.unwrap());
    rows.extend(lines(&printed).unwrap());
    rows.extend(rates(invoice).unwrap());
    rows.extend(totals(invoice).unwrap());
    rows.extend(notes(invoice));
    let row = |row: &Row| row.cells.iter().map(|cell| cell.text.clone()).collect::<Vec<_>>().join(" | ");
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn mixed() -> Invoice {
    let room = Line { what: What::SetupFee, ..line(2, (500, 35), "7", Reason::Reduced) };
    let tea = Line { quantity: 3, ..line(1, (3_000, 570), "19.00", Reason::Standard) };
    Invoice { credit: money(105, "EUR"), ..invoice(vec![tea, room]) }
}

fn credit_note() -> Invoice {
    let unused = line(1, (-500, -95), "19", Reason::Standard);
    let stage = Stage::Paid { since: at("2026-03-16T00:00:00Z") };
    Invoice {
        kind: Kind::CreditNote,
        credit: money(-595, "EUR"),
        corrects: Some(3),
        stage,
        ..invoice(vec![Line { what: What::Credit, ..unused }])
    }
}

#[test]
fn an_invoice_says_who_to_whom_what_for_which_days_and_how_much() {
    insta::assert_snapshot!(said(&mixed()));
}

#[test]
fn a13_6_a_credit_note_says_so_and_subtotal_and_tax_are_its_total() {
    insta::assert_snapshot!(said(&credit_note()));
}

#[test]
fn what_is_paid_or_void_says_since_when() {
    let paid = Invoice { stage: Stage::Paid { since: at("2026-03-02T08:00:00Z") }, ..mixed() };
    assert!(said(&paid).contains("Paid on 2026-03-02 | 40.00 EUR"), "{}", said(&paid));
    let void = Invoice { stage: Stage::Void { since: at("2026-03-02T08:00:00Z") }, ..mixed() };
    assert!(said(&void).contains("Void since 2026-03-02, due | 0.00 EUR"), "{}", said(&void));
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    for (minor, currency, want) in
        [(1_020, "JPY", "1020 JPY"), (1_999, "USD", "19.99 USD"), (1_234, "KWD", "1.234 KWD")]
    {
        assert_eq!(with_currency(money(minor, currency)), want);
    }
    assert_eq!(with_currency(money(-5, "EUR")), "−0.05 EUR");
}

#[test]
fn a_period_that_ends_at_midnight_ends_on_the_day_before() {
    let berlin = "Europe/Berlin".parse().unwrap();
    assert_eq!(days(month(), &berlin), "2026-03-01 – 2026-03-31");
    let noon = Period { from: at("2026-03-01T11:00:00Z"), until: at("2026-04-01T10:00:00Z") };
    assert_eq!(days(noon, &berlin), "2026-03-01 – 2026-04-01");
    let nothing = Period { from: at("2026-03-01T11:00:00Z"), until: at("2026-03-01T11:00:00Z") };
    assert_eq!(days(nothing, &berlin), "2026-03-01");
}

#[test]
fn without_a_number_there_is_no_pdf() {
    let refused = file(&Invoice { number: None, ..mixed() }, &issuer(), None);
    assert!(matches!(refused, Err(Unprintable::NotNumbered)));
}

/// The writer refuses what is not PDF/A-3b and PDF/UA-1; that the file claims both is looked at here.
#[test]
fn the_same_document_gives_the_same_bytes_and_they_may_be_archived() {
    let first = file(&mixed(), &issuer(), Some(&recipient())).unwrap();
    assert_eq!(first, file(&mixed(), &issuer(), Some(&recipient())).unwrap());
    assert!(first.starts_with(b"%PDF-1.7"));
    let text = String::from_utf8_lossy(&first);
    for claim in ["<pdfaid:part>3<", "<pdfaid:conformance>B<", "<pdfuaid:part>1<", "/OutputIntents"] {
        assert!(text.contains(claim), "{claim}");
    }
    assert!(!text.contains("/EmbeddedFiles"));
    assert_ne!(first, file(&credit_note(), &issuer(), Some(&recipient())).unwrap());
    keep("invoice", &first);
    keep("credit_note", &file(&credit_note(), &issuer(), None).unwrap());
}

#[test]
fn hundreds_of_lines_go_on_over_pages_under_their_head() {
    let lines = (0..300).map(|_| line(1, (1_000, 190), "19", Reason::Standard)).collect();
    let long = file(&invoice(lines), &issuer(), Some(&recipient())).unwrap();
    let pages = String::from_utf8_lossy(&long).matches("/Type/Page/").count();
    assert!((5..=12).contains(&pages), "{pages} pages");
    keep("long", &long);
}

/// Written by whoever subscribes: too long, without blanks, turning marks, no glyph, private letters.
#[test]
fn no_text_breaks_the_page_or_the_archive() {
    let hostile = [
        "W".repeat(300),
        "ǅ".repeat(300),
        "a ".repeat(150),
        "👩‍👩‍👧‍👦🏳️‍🌈🇪🇺".repeat(20),
        "\u{202e}evil\u{202c} \u{2066}x\u{2069}\u{feff}\u{0}\u{7f}\u{85}\t\r\n".repeat(10),
        "שלום عليكم 你好 \u{e000}\u{f8ff}\u{10fffd}".repeat(15),
        "e\u{301}\u{302}\u{303}\u{33f}".repeat(60),
        "\u{ad}\u{200b}\u{200d}".repeat(50),
        "(\\)<<>>%EOF endobj".repeat(15),
        "<script>&amp;]]></rdf:li>".repeat(12),
    ];
    let faces = Faces {
        plain: Face::of(notosans::REGULAR_TTF).unwrap(),
        bold: Face::of(notosans::BOLD_TTF).unwrap(),
    };
    let about = |title: &str| About {
        title: faces.plain.printable(title),
        author: faces.plain.printable(title),
        id: "inv_1".to_owned(),
        on: at("2026-03-01T00:00:05Z").to_zoned(TimeZone::UTC).datetime(),
        foot: title.to_owned(),
    };
    let mut rows =
        vec![text(vec![Cell { role: Role::Title, size: LARGE, ..paragraph(hostile[0].as_str()) }], 0)];
    for text in &hostile {
        for line in faces.plain.lines(text, (PLAIN, 1_000), 30) {
            assert!(faces.plain.width(line.trim_end(), PLAIN) <= 1_000, "{line}");
        }
        let head = columns(COLUMNS.map(|_| text.clone()), [Role::ColumnHead; 6], true);
        rows.push(Row { cells: head, above: 0, ruled: true, part: Part::Head });
        let body = columns(COLUMNS.map(|_| text.clone()), [Role::Data; 6], false);
        rows.push(Row { cells: body, above: 0, ruled: true, part: Part::Body });
        rows.push(super::text(vec![paragraph(text.as_str())], 0));
    }
    for text in &hostile {
        let file = sheet::write(&faces, &rows, &about(&format!("Invoice {text}"))).unwrap();
        keep("hostile", &file);
    }
}

#[test]
fn what_the_font_does_not_have_is_shown_as_missing_and_what_is_invisible_is_left_out() {
    let face = Face::of(notosans::REGULAR_TTF).unwrap();
    let whole = "ŁódźŻ ß é ñ ğ ő € £ Ωμέγα Ђуђа ґ № – “x” …";
    assert_eq!(face.printable(whole), whole);
    assert_eq!(face.printable("a\u{202e}b\u{200b}c\u{ad}d\u{7}"), "abcd");
    assert_eq!(face.printable("☕ 茶"), "\u{fffd} \u{fffd}");
    assert_eq!(face.printable("two\nlines"), "two lines");
}

#[test]
fn lines_break_at_blanks_and_inside_of_long_words_and_are_so_many() {
    let face = Face::of(notosans::REGULAR_TTF).unwrap();
    let width = face.width("one two", 100);
    assert_eq!(face.lines("one two three", (100, width), 9), ["one two ", "three"]);
    let narrow = face.width("WWW", 100);
    assert_eq!(face.lines("WWWWWWWW", (100, narrow), 9), ["WWW", "WWW", "WW"]);
    assert_eq!(face.lines("WWWWWWWW", (100, narrow), 2), ["WWW", "WW…"]);
    assert_eq!(face.lines("", (100, narrow), 2), [""]);
}

/// To look at them: `SHEETS=/some/folder cargo test -p invoices`.
fn keep(name: &str, file: &[u8]) {
    if let Ok(folder) = std::env::var("SHEETS") {
        std::fs::write(format!("{folder}/{name}.pdf"), file).unwrap();
    }
}
