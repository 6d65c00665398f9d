use super::*;
use crate::catalog::{ProductStatus, VariantDraft, number_variants};
use crate::id::ProductId;
use crate::pim::exchange::{Row, disarmed};
use crate::pim::sheet::tests::{edit, model, patched};
use jiff::Timestamp;
use proptest::prelude::*;

fn locale(text: &str) -> Locale {
    text.parse().unwrap()
}

fn product() -> Product {
    let draft = || VariantDraft { number: None, values: Vec::new(), gtin: None, weight: None };
    Product {
        id: ProductId::from_bits(1),
        merchant: None,
        external_id: Some("S-1".parse().unwrap()),
        title: "Shirt".parse().unwrap(),
        description: None,
        categories: Vec::new(),
        axes: Vec::new(),
        variants: number_variants(&[], vec![draft()]).unwrap(),
        status: ProductStatus::Draft,
        created_at: Timestamp::UNIX_EPOCH,
        merged: None,
        cover: None,
    }
}

fn name(locale: &str, text: &str) -> String {
    let name = serde_json::json!({"values": {"name": [{"locale": locale, "data": text}]}});
    name.to_string()
}

/// Rows from German into English on the web.
fn rows_of(sheet: &Sheet, all: bool) -> Vec<Cells> {
    let (from, to, channel) = (locale("de"), locale("en"), "web".parse().unwrap());
    let which = Which { from: &from, to: &to, channel: &channel, attributes: &[], all };
    which.rows(&product(), &sheet.content, &model())
}

fn returned(cells: &Cells, target: Option<&str>, status: &str) -> Returned {
    let [_, _, _, variant, attribute, channel, from, _, to, _, _, digest] = cells;
    let place = crate::pim::attribute::Place {
        locale: Some(locale(to)),
        channel: Some(channel).filter(|channel| !channel.is_empty()).map(|channel| channel.parse().unwrap()),
    };
    let slot = Slot { variant: variant.parse().ok(), attribute: attribute.parse().unwrap(), place };
    let (from, digests) = (locale(from), digest.parse().unwrap());
    Returned { slot, from, digests, target: target.map(str::to_owned), status: status.parse().ok() }
}

/// A row that nobody has touched.
fn untouched(cells: &Cells) -> Returned {
    returned(cells, Some(&cells[9]).filter(|target| !target.is_empty()).map(String::as_str), &cells[10])
}

fn back(sheet: &Sheet, row: Returned) -> Result<(Sheet, Took), String> {
    let (next, mut took) = take_back(sheet, &[row], &model(), &[1]).unwrap();
    took.remove(0).map(|took| (next, took)).map_err(|not| not.to_string())
}

fn taken(sheet: &Sheet, row: Returned) -> Sheet {
    back(sheet, row).unwrap().0
}

#[test]
fn a_file_has_a_row_per_text_that_the_channel_shows_and_that_is_missing_or_stale() {
    let sheet = patched(
        r#"{"values":{
            "name":[{"locale":"de","data":"Hemd"},{"locale":"en","data":"Shirt"}],
            "text":[{"locale":"de","channel":"web","data":"Weich"},{"locale":"de","channel":"print","data":"Fest"}],
            "brand":[{"data":"Ember"}]},
            "variants":{"1":{"values":{"name":[{"locale":"de","data":"Rotes Hemd"}]}},
                "2":{"values":{"name":[{"locale":"de","data":"Blaues Hemd"}]}}}}"#,
    );
    let told =
        |rows: Vec<Cells>| -> Vec<String> { rows.iter().map(|cells| cells[3..11].join(" ")).collect() };
    let (text, red) = (" text web de Weich en  missing", "1 name  de Rotes Hemd en  missing");
    assert_eq!(told(rows_of(&sheet, false)), [text, red], "there is no second variant");
    assert_eq!(told(rows_of(&sheet, true)), [" name  de Hemd en Shirt done", text, red]);
    let first = rows_of(&sheet, false).remove(0);
    assert_eq!(first[..3], ["prd_00000000000000000000000001", "S-1", "Shirt"]);
    assert_eq!(first[11], format!("{}-none", Data::text("Weich").digest()));
    let (from, to, channel) = (locale("de"), locale("en"), "web".parse().unwrap());
    let which =
        Which { from: &from, to: &to, channel: &channel, attributes: &["text".parse().unwrap()], all: true };
    assert_eq!(told(which.rows(&product(), &sheet.content, &model())), [text]);
}

#[test]
fn a_row_that_comes_back_is_taken_once_and_the_same_again_says_nothing() {
    let source = patched(&name("de", "Hemd"));
    let row = rows_of(&source, false).remove(0);
    let filled = returned(&row, Some("Shirt"), "missing");
    let (next, took) = back(&source, filled.clone()).unwrap();
    assert_eq!((took, next.version), (Took::Created, 2));
    assert_eq!(rows_of(&next, false), Vec::<Cells>::new(), "it is done");
    assert_eq!(back(&next, filled), Ok((next.clone(), Took::Same)));
    let row = rows_of(&next, true).remove(0);
    let draft = taken(&next, returned(&row, Some("Blouse"), "draft"));
    assert_eq!(rows_of(&draft, true)[0][9..11], ["Blouse", "draft"]);
    let done = returned(&rows_of(&draft, true)[0], Some("Blouse"), "DONE");
    assert_eq!(rows_of(&taken(&draft, done), true)[0][10], "done");
    // Blanks and line ends that a program has added are no change.
    let padded = returned(&row, Some(" Shirt\r\n"), "done");
    assert_eq!(back(&next, padded), Ok((next, Took::Same)));
}

#[test]
fn a_stale_text_is_stale_until_it_is_another_or_somebody_says_that_it_still_holds() {
    let sheet = patched(&name("de", "Hemd"));
    let sheet = taken(&sheet, returned(&rows_of(&sheet, false)[0], Some("Shirt"), "missing"));
    let stale = edit(&sheet, &name("de", "Oberhemd"));
    let row = rows_of(&stale, false).remove(0);
    assert_eq!(row[9..11], ["Shirt", "stale"]);
    assert_eq!(back(&stale, untouched(&row)), Ok((stale.clone(), Took::Same)));
    for (target, status) in [("Shirt", "done"), ("Dress shirt", "stale")] {
        let (next, took) = back(&stale, returned(&row, Some(target), status)).unwrap();
        assert_eq!((took, rows_of(&next, false).len()), (Took::Changed, 0), "{target} {status}");
    }
}

#[test]
fn what_has_changed_since_a_row_went_out_is_not_written_over() {
    let source = patched(&name("de", "Hemd"));
    let row = rows_of(&source, false).remove(0);
    let refused =
        |sheet: &Sheet, target: &str| back(sheet, returned(&row, Some(target), "missing")).unwrap_err();
    let changed = edit(&source, &name("de", "Bluse"));
    assert_eq!(refused(&changed, "Shirt"), "its source has changed since: fetch the row again");
    let gone = edit(&source, r#"{"values":{"name":null}}"#);
    assert_eq!(refused(&gone, "Shirt"), "its source is gone");
    let written = edit(&source, &name("en", "Top"));
    let told = "the translation says something else by now than when the row went out";
    assert_eq!(refused(&written, "Shirt"), told);
    assert_eq!(back(&written, returned(&row, Some("Top"), "missing")).unwrap().1, Took::Same);
    // A row that nobody has touched takes nothing back either.
    let row = rows_of(&written, true).remove(0);
    let corrected = edit(&written, &name("en", "Shirt"));
    assert_eq!(back(&corrected, untouched(&row)), Ok((corrected.clone(), Took::Same)));
    assert_eq!(back(&corrected, returned(&row, Some("Blouse"), "done")), Err(told.to_owned()));
    assert_eq!(back(&corrected, returned(&row, None, "done")), Err(told.to_owned()));
    let row = rows_of(&corrected, true).remove(0);
    let (without, took) = back(&corrected, returned(&row, None, "done")).unwrap();
    assert_eq!((took, rows_of(&without, false).len()), (Took::Changed, 1));
}

#[test]
fn rows_of_one_product_are_one_version_and_what_is_wrong_with_one_is_no_matter_of_the_others() {
    let sheet = patched(
        r#"{"values":{"name":[{"locale":"de","data":"Hemd"}],
            "text":[{"locale":"de","channel":"web","data":"Weich"}]}}"#,
    );
    let rows = rows_of(&sheet, false);
    let name = returned(&rows[0], Some("Shirt"), "missing");
    let long = "x".repeat(201);
    let mut elsewhere = name.clone();
    elsewhere.slot.attribute = "ghost".parse().unwrap();
    let mut same = name.clone();
    same.from = locale("en");
    let all = [
        returned(&rows[0], Some(&long), "missing"),
        name.clone(),
        Returned { target: Some("Blouse".to_owned()), ..name },
        elsewhere,
        same,
        returned(&rows[1], Some("<b>Soft"), "missing"),
    ];
    let (next, took) = take_back(&sheet, &all, &model(), &[1]).unwrap();
    let told: Vec<String> = took
        .into_iter()
        .map(|one| one.map_or_else(|not| not.to_string(), |took| format!("{took:?}")))
        .collect();
    assert_eq!(
        told,
        [
            "1 of it is wrong, first: values/name/en: it has 201 characters: want at most 200",
            "Created",
            "the translation says something else by now than when the row went out",
            "1 of it is wrong, first: values/ghost/en: there is no attribute `ghost`",
            "it is no value in another language than the source",
            "Created",
        ]
    );
    assert_eq!((next.version, rows_of(&next, true)[1][9].as_str()), (2, "<strong>Soft</strong>"));
}

#[test]
fn digests_are_read_as_they_are_written_and_nothing_else_is() {
    for text in ["0123456789abcdef-none", "0123456789abcdef-fedcba9876543210"] {
        assert_eq!(text.parse::<Digests>().unwrap().to_string(), text);
    }
    for text in ["", "none", "0123456789abcdef", "1.23457E+15", "0123456789abcdef-", "none-none"] {
        assert_eq!(text.parse::<Digests>(), Err(NoDigests), "{text}");
    }
}

proptest! {
    #[test]
    fn every_cell_that_is_read_is_read_as_it_was_written(text in "['=+@\\-a1 <]{1,6}") {
        prop_assume!(text.trim() == text);
        let source = patched(&name("de", &text));
        let cells = rows_of(&source, false).remove(0);
        let written: Row = COLUMNS.iter().zip(&cells)
            .map(|((column, _), cell)| ((*column).to_owned(), Data::Text(disarmed(cell))))
            .collect();
        let read = profile(PROFILE.parse().unwrap()).read(&written).unwrap();
        for ((column, field), cell) in COLUMNS.iter().zip(&cells) {
            let Some(field) = field else { continue };
            let found = read.fields.get(field).and_then(Data::as_text).unwrap_or_default();
            prop_assert_eq!(found, cell, "{}", column);
        }
        // What a translator writes comes in as it is, too.
        let next = taken(&source, returned(&cells, Some(&text), "missing"));
        prop_assert_eq!(&rows_of(&next, true)[0][9], &text);
        prop_assert_eq!(back(&next, untouched(&rows_of(&next, true)[0])), Ok((next.clone(), Took::Same)));
    }
}
