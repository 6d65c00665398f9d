use super::*;
use crate::pim::sheet::tests::{edit, model, patched};
use proptest::prelude::*;

fn locale(text: &str) -> Locale {
    text.parse().unwrap()
}

fn name(text: &str) -> String {
    format!(r#"{{"values":{{"name":[{{"locale":"de","data":"{text}"}}]}}}}"#)
}

fn told(sheet: &Sheet) -> Vec<(String, Status)> {
    let rows = rows(&sheet.content, &locale("de"), &locale("en"));
    rows.iter().map(|row| (row.path.to_string(), row.status)).collect()
}

fn incoming(sheet: &Sheet, target: &str, done: bool) -> Incoming {
    let row = rows(&sheet.content, &locale("de"), &locale("en")).remove(0);
    let was = row.target.as_ref().map(Data::digest);
    Incoming { path: row.path, of: row.of, was, target: Data::text(target), done }
}

fn taken(sheet: &Sheet, row: Incoming) -> Sheet {
    let (next, refused) = take(sheet, &[row], &locale("de"), &model(), &[1]).unwrap();
    assert_eq!(refused, []);
    next
}

#[test]
fn a_translation_goes_from_missing_to_draft_to_done_and_is_stale_as_soon_as_its_source_changes() {
    let source = patched(&name("Hemd"));
    let status = |sheet: &Sheet| told(sheet)[0].1;
    assert_eq!(told(&source), [("values/name/en".to_owned(), Status::Missing)]);
    let draft = taken(&source, incoming(&source, "Shirt", false));
    assert_eq!((status(&draft), draft.version), (Status::Draft, 2));
    let done = taken(&draft, incoming(&draft, "Shirt", true));
    assert_eq!(status(&done), Status::Done);
    let changed = edit(&done, &name("Bluse"));
    assert_eq!(status(&changed), Status::Stale);
    assert_eq!(stale(&changed.content).len(), 1);
    assert_eq!(status(&edit(&changed, &name("Hemd"))), Status::Done, "the source says again what it said");
    let gone = edit(&changed, r#"{"values":{"name":[{"locale":"de","data":null}]}}"#);
    assert_eq!(stale(&gone.content).len(), 1, "what has lost its source is stale");
}

#[test]
fn a_row_whose_source_has_changed_since_is_refused_and_the_others_are_taken() {
    let sheet = patched(
        r#"{"values":{"name":[{"locale":"de","data":"Hemd"}],"brand":[{"data":"Ember"}],
            "text":[{"locale":"de","channel":"web","data":"Weich"}]}}"#,
    );
    let mut rows: Vec<Incoming> = rows(&sheet.content, &locale("de"), &locale("en"))
        .into_iter()
        .map(|row| Incoming { path: row.path, of: row.of, was: None, target: Data::text("Soft"), done: true })
        .collect();
    rows.push(Incoming { path: "values/brand".parse().unwrap(), ..rows[0].clone() });
    rows.push(Incoming { path: "values/name/fr".parse().unwrap(), ..rows[0].clone() });
    let was = Some(Data::text("Soft").digest());
    rows.push(Incoming { was, target: Data::text(""), ..rows[1].clone() });
    let changed = edit(&sheet, &name("Bluse"));
    let (next, refused) = take(&changed, &rows, &locale("de"), &model(), &[]).unwrap();
    let why: Vec<(usize, String)> = refused.iter().map(|(at, why)| (*at, why.to_string())).collect();
    assert_eq!(
        why,
        [
            (0, "its source has changed since: fetch the row again".to_owned()),
            (2, "it is no value in another language than the source".to_owned()),
            (3, "its source has changed since: fetch the row again".to_owned()),
            (
                4,
                "1 of it is wrong, first: values/text/en/web: it is empty: leave it out, or say null to remove it"
                    .to_owned()
            ),
        ]
    );
    assert_eq!(
        told(&next),
        [("values/name/en".to_owned(), Status::Missing), ("values/text/en/web".to_owned(), Status::Done)]
    );
    assert_eq!(next.version, changed.version + 1, "all rows are one version");
}

#[test]
fn a_row_does_not_write_over_a_translation_that_was_corrected_after_it_went_out() {
    let source = patched(&name("Hemd"));
    let out = incoming(&source, "Shirt", true);
    let corrected = edit(&source, r#"{"values":{"name":[{"locale":"en","data":"Dress shirt"}]}}"#);
    let late = take(&corrected, std::slice::from_ref(&out), &locale("de"), &model(), &[1]).unwrap();
    assert_eq!(late.1, [(0, NotTaken::Overtaken)]);
    assert_eq!(late.0.content, corrected.content);
    let nothing = Incoming { target: Data::Null, ..out.clone() };
    assert_eq!(
        take(&corrected, &[nothing], &locale("de"), &model(), &[1]).unwrap().1,
        [(0, NotTaken::Overtaken)]
    );
    // Again after what it said itself, and with what is said now in view, it is taken.
    let once = taken(&source, out.clone());
    assert_eq!(taken(&once, out).content, once.content);
    taken(&corrected, incoming(&corrected, "Shirt", true));
}

#[test]
fn what_is_written_by_hand_follows_its_source_from_then_on() {
    let source = patched(&name("Hemd"));
    let written = edit(&source, r#"{"values":{"name":[{"locale":"en","data":"Shirt"}]}}"#);
    let followed = follow(&source, written, &locale("de")).unwrap();
    assert_eq!(told(&followed)[0].1, Status::Done);
    let changed = edit(&followed, &name("Bluse"));
    assert_eq!(told(&changed)[0].1, Status::Stale);
    let removed = edit(&changed, r#"{"values":{"name":[{"locale":"en","data":null}]}}"#);
    assert_eq!(serde_json::to_string(&removed.content).unwrap(), r#"{"values/name/de":"Bluse"}"#);
}

proptest! {
    #[test]
    fn a_translation_is_stale_exactly_while_its_source_says_something_else(
        texts in prop::collection::vec("[ab]", 1..8),
    ) {
        let source = patched(&name("a"));
        let mut sheet = taken(&source, incoming(&source, "Shirt", true));
        for text in texts {
            sheet = edit(&sheet, &name(&text));
            prop_assert_eq!(told(&sheet)[0].1 == Status::Stale, text != "a");
        }
    }
}
