use super::*;
use crate::pim::sheet::tests::{any_patch, edit, model, patched, sheet};
use proptest::prelude::*;

fn told(completeness: &Completeness) -> Vec<String> {
    let cell = |cell: &Cell| {
        let missing: Vec<&str> = cell.missing.iter().map(Code::as_str).collect();
        format!("{} {} {}% {}", cell.channel, cell.locale, cell.percent(), missing.join(" "))
    };
    completeness.cells.iter().map(cell).collect()
}

#[test]
fn a3_2_completeness_is_per_channel_and_locale_from_required_attributes_of_the_family_alone() {
    let of = |text: &str| told(&Completeness::of(&patched(text).content, &model(), &[1, 2]));
    assert_eq!(
        of(r#"{"values":{"name":[{"locale":"de","data":"Hemd"}]}}"#),
        [""; 0],
        "no family demands nothing"
    );
    assert_eq!(
        of(r#"{"family":"shirt","values":{"brand":[{"data":"Ember"}],"tags":[{"data":["eco"]}]}}"#),
        ["print de 0% name note text", "web de 0% color name", "web en 0% color name"]
    );
    assert_eq!(
        of(r#"{"family":"shirt","values":{"name":[{"locale":"de","data":"Hemd"}],"color":[{"data":"red"}],
            "text":[{"locale":"de","channel":"web","data":"x"}],"note":[{"channel":"print","data":"x"}]}}"#),
        ["print de 66% text", "web de 100% ", "web en 50% name"],
        "a color counts for every locale, a note of print for all locales of print, a text of the web for no print"
    );
    assert_eq!(of(r#"{"family":"cap"}"#), ["print de 100% ", "web de 0% brand", "web en 0% brand"]);
}

#[test]
fn variants_together_say_what_their_product_leaves_to_them() {
    let one = patched(r#"{"family":"shirt","variants":{"1":{"values":{"color":[{"data":"red"}]}}}}"#);
    let both = edit(&one, r#"{"variants":{"2":{"values":{"color":[{"data":"blue"}]}}}}"#);
    let lacks = |sheet: &crate::pim::sheet::Sheet| {
        let completeness = Completeness::of(&sheet.content, &model(), &[1, 2]);
        let cell = completeness.cell(&"web".parse().unwrap(), &"de".parse().unwrap()).unwrap().clone();
        cell.missing.contains(&"color".parse::<Code>().unwrap())
    };
    assert_eq!([lacks(&one), lacks(&both)], [true, false]);
}

#[test]
fn a_product_is_published_in_the_languages_that_are_complete_and_held_where_none_is() {
    let sheet = patched(
        r#"{"family":"shirt","values":{"name":[{"locale":"en","data":"Shirt"}],"color":[{"data":"red"}]}}"#,
    );
    let completeness = Completeness::of(&sheet.content, &model(), &[1]);
    assert_eq!(completeness.publishable(&"web".parse().unwrap()), Ok(vec!["en".parse().unwrap()]));
    let held = completeness.publishable(&"print".parse().unwrap()).unwrap_err();
    assert_eq!(held.to_string(), "not complete on print in any language");
    let missing = ["name", "note", "text"].map(|code| code.parse().unwrap());
    assert_eq!(held.missing, [("de".parse().unwrap(), BTreeSet::from(missing))]);
    assert!(
        Completeness::default().publishable(&"web".parse().unwrap()).is_err(),
        "without a family nothing is"
    );
}

#[test]
fn a_family_names_what_there_is() {
    let declare = |text: &str| {
        let family: Family = serde_json::from_str(text).unwrap();
        family.declare(&model()).unwrap_err().to_string()
    };
    assert_eq!(declare(r#"{"code":"x","attributes":{}}"#), "a family has 1 to 500 attributes, not 0");
    assert_eq!(declare(r#"{"code":"x","attributes":{"weight":{}}}"#), "there is no attribute `weight`");
    assert_eq!(
        declare(r#"{"code":"x","attributes":{"brand":{"required":["app"]}}}"#),
        "there is no channel `app`"
    );
    assert_eq!(
        declare(r#"{"code":"x","attributes":{"brand":{}},"label":"name"}"#),
        "`name` is no attribute of the family"
    );
    assert_eq!(
        declare(r#"{"code":"x","attributes":{"name":{}},"axes":["name"]}"#),
        "`name` is an axis twice, or differs by locale or channel"
    );
}

proptest! {
    #[test]
    fn what_is_kept_change_by_change_is_what_a_look_at_everything_says(
        patches in prop::collection::vec(any_patch(), 1..20),
    ) {
        let model = model();
        let (mut before, mut kept) = (sheet(), Completeness::default());
        for patch in &patches {
            let after = before.patch(patch, &model, &[1, 2]).unwrap();
            let diff = Diff::between(&before.content, &after.content);
            kept = kept.after(&diff, &after.content, &model, &[1, 2]);
            prop_assert_eq!(&kept, &Completeness::of(&after.content, &model, &[1, 2]));
            before = after;
        }
    }
}
