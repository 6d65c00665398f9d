use super::*;
use crate::pim::attribute::Attribute;
use crate::pim::family::{Family, PimChannel};
use proptest::prelude::*;

pub(crate) fn json(text: &str) -> Data {
    serde_json::from_str(text).unwrap()
}

/// Shirts on the web and in print, in German and English.
pub(crate) fn model() -> Model {
    let attributes: Vec<Attribute> = serde_json::from_str(
        r#"[
        {"code":"name","kind":{"is":"text","max":200},"scope":{"per_locale":true}},
        {"code":"text","kind":{"is":"rich_text","max":30000},"scope":{"per_locale":true,"per_channel":true}},
        {"code":"color","kind":{"is":"option","choices":[{"code":"red"},{"code":"blue"}]}},
        {"code":"size","kind":{"is":"measure","dimension":"length","unit":"cm"}},
        {"code":"brand","kind":{"is":"text","max":60}},
        {"code":"note","kind":{"is":"text","max":10000},"scope":{"per_channel":true}},
        {"code":"tags","kind":{"is":"options","choices":[{"code":"new"},{"code":"eco"}]}}]"#,
    )
    .unwrap();
    let shirt: Family = serde_json::from_str(
        r#"{"code":"shirt","label":"name","description":"text","axes":["color"],"attributes":{
        "name":{"required":["web","print"]},"text":{"required":["print"]},"color":{"required":["web"]},
        "size":{},"brand":{},"note":{"required":["print"]},"tags":{}}}"#,
    )
    .unwrap();
    let cap: Family =
        serde_json::from_str(r#"{"code":"cap","attributes":{"brand":{"required":["web"]}}}"#).unwrap();
    let channels: Vec<PimChannel> = serde_json::from_str(
        r#"[{"code":"web","locales":["de","en"],"currency":"EUR"},{"code":"print","locales":["de"],"currency":"EUR"}]"#,
    )
    .unwrap();
    let model = Model {
        attributes: attributes.into_iter().map(|attribute| (attribute.code.clone(), attribute)).collect(),
        channels: channels.into_iter().map(|channel| (channel.code.clone(), channel)).collect(),
        families: [shirt, cap].into_iter().map(|family| (family.code.clone(), family)).collect(),
        source: None,
    };
    for family in model.families.values() {
        assert_eq!(family.declare(&model), Ok(()));
    }
    model
}

pub(crate) fn sheet() -> Sheet {
    Sheet::blank(ProductId::from_bits(1))
}

pub(crate) fn patch(text: &str) -> Patch {
    Patch::read(&json(text)).unwrap()
}

pub(crate) fn edit(sheet: &Sheet, text: &str) -> Sheet {
    sheet.patch(&patch(text), &model(), &[1, 2]).unwrap()
}

pub(crate) fn patched(text: &str) -> Sheet {
    edit(&sheet(), text)
}

/// Edits that fit the model, one after another.
pub(crate) fn any_patch() -> impl Strategy<Value = Patch> {
    let value = prop_oneof![
        "[a-c]{1,3}".prop_map(|text| format!(r#""values":{{"name":[{{"locale":"de","data":"{text}"}}]}}"#)),
        "[a-c]{1,3}".prop_map(|text| format!(r#""values":{{"name":[{{"locale":"en","data":"{text}"}}]}}"#)),
        "[a-c]{1,3}".prop_map(|text| format!(
            r#""values":{{"text":[{{"locale":"de","channel":"print","data":"<b>{text}"}}]}}"#
        )),
        (1..3_i32).prop_map(|size| format!(r#""values":{{"size":[{{"data":{size}}}],"brand":null}}"#)),
        (1..3_u8, prop::sample::select(vec!["red", "blue"])).prop_map(|(variant, color)| format!(
            r#""variants":{{"{variant}":{{"values":{{"color":[{{"data":"{color}"}}]}}}}}}"#
        )),
        (1..3_u8).prop_map(|variant| format!(r#""variants":{{"{variant}":null}}"#)),
        prop::sample::select(vec![
            r#""family":"shirt""#,
            r#""family":"cap""#,
            r#""family":null"#,
            r#""assets":["ast_00000001"]"#,
            r#""assets":null"#,
            r#""values":{"name":null,"color":[{"data":"red"}]}"#,
            r#""values":{"color":[{"data":null}],"note":[{"channel":"print","data":"x"}]}"#,
            r#""values":{"brand":[{"data":"Ember"}],"note":null}"#,
        ])
        .prop_map(str::to_owned),
    ];
    value.prop_map(|text| patch(&format!("{{{text}}}")))
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let before = patched(
        r#"{"family":"shirt","assets":["ast_00000001"],"values":{
            "name":[{"locale":"de","data":"Hemd"},{"locale":"en","data":"Shirt"}],
            "size":[{"data":{"amount":"2","unit":"cm"}}],"tags":[{"data":["new","eco"]}]}}"#,
    );
    assert_eq!(before.version, 1);
    let after = edit(
        &before,
        r#"{"assets":["ast_00000002","ast_00000001"],"values":{
            "name":[{"locale":"de","data":"Bluse"}],"size":[{"data":{"unit":"in"}}],"tags":[{"data":["eco"]}]},
            "variants":{"2":{"values":{"color":[{"data":"blue"}]}}}}"#,
    );
    assert_eq!(after.version, 2);
    assert_eq!(
        serde_json::to_string(&after.content).unwrap(),
        concat!(
            r#"{"family":"shirt","assets":["ast_00000002","ast_00000001"],"values/name/de":"Bluse","#,
            r#""values/name/en":"Shirt","values/size":{"amount":"2","unit":"in"},"values/tags":["eco"],"#,
            r#""variants/2/values/color":"blue"}"#
        )
    );
    assert_eq!(
        serde_json::to_string(&after.content.show()).unwrap(),
        concat!(
            r#"{"assets":["ast_00000002","ast_00000001"],"family":"shirt","values":{"#,
            r#""name":[{"data":"Bluse","locale":"de"},{"data":"Shirt","locale":"en"}],"#,
            r#""size":[{"data":{"amount":"2","unit":"in"}}],"tags":[{"data":["eco"]}]},"#,
            r#""variants":{"2":{"values":{"color":[{"data":"blue"}]}}}}"#
        )
    );
}

#[test]
fn null_removes_a_value_an_attribute_or_a_variant() {
    let before = patched(
        r#"{"family":"shirt","values":{"name":[{"locale":"de","data":"Hemd"},{"locale":"en","data":"Shirt"}],
            "brand":[{"data":"Ember"}]},"variants":{"1":{"values":{"color":[{"data":"red"}]}}}}"#,
    );
    let text = |sheet: Sheet| serde_json::to_string(&sheet.content).unwrap();
    assert_eq!(
        text(edit(
            &before,
            r#"{"values":{"name":[{"locale":"de","data":null}],"brand":null},"variants":{"1":null}}"#
        )),
        r#"{"family":"shirt","values/name/en":"Shirt"}"#
    );
    assert_eq!(
        text(edit(&before, r#"{"family":null,"values":{"name":null}}"#)),
        r#"{"values/brand":"Ember","variants/1/values/color":"red"}"#
    );
    let gone = edit(&before, r#"{"values":{"size":null,"note":[{"channel":"web","data":null}]}}"#);
    assert_eq!(gone, before, "what was not there changes nothing, and makes no version");
}

#[test]
fn all_that_is_wrong_is_told_at_once_and_nothing_is_changed() {
    let before = patched(r#"{"values":{"size":[{"data":1}],"color":[{"data":"red"}]}}"#);
    let refused = before.patch(
        &patch(
            r#"{"family":"hat","assets":["ast_00000001","ast_00000001"],"values":{
                "name":[{"data":"Hemd"}],"text":[{"locale":"en","channel":"print","data":"x"}],
                "size":[{"data":"wide"}],"color":[{"data":["red"]}],"weight":[{"data":1}]},
                "variants":{"7":{"values":{"color":[{"data":"red"}]}}}}"#,
        ),
        &model(),
        &[1, 2],
    );
    let Err(Refused::Wrong(wrongs)) = refused else { panic!("{refused:?}") };
    let told: Vec<String> = wrongs.iter().map(Wrong::to_string).collect();
    assert_eq!(
        told,
        [
            "family: there is no `hat` here",
            "assets/1: `ast_00000001` is there twice",
            "values/color: it is a text or number, and cannot become an array",
            "values/name: it has no locale: its values are per locale",
            "values/size: it is an object, and cannot become a text or number",
            "values/text/en/print: no channel shows it: there is no `en in print`",
            "values/weight: there is no attribute `weight`",
            "variants/7/values/color: there is no `variant 7` here",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told_with_its_place() {
    let refused = Patch::read(&json(
        r#"{"price":1,"values":{"Name":null,"color":"red","size":[{"locale":"german","data":1},{"locale":"de"},
            {"data":1,"of":2},7],"tags":[{"data":1},{"data":2}]},"variants":{"0":null,"1":{"value":{}}}}"#,
    ));
    let told: Vec<String> = refused.unwrap_err().iter().map(Wrong::to_string).collect();
    assert_eq!(
        told,
        [
            "price: there is no `price` here",
            "values/Name: it has `N`: want only [a-z0-9_-]",
            "values/color: it is a text or number: want an array of {locale, channel, data}",
            "values/size/0/locale: it is no BCP 47 tag: want one like `en` or `de-AT`",
            "values/size/1: `data` is missing",
            "values/size/2: there is no `of` here",
            "values/size/3: it is a text or number: want an object",
            "values/tags: `values/tags` is there twice",
            "variants/0: variants are numbered from 1, not `0`",
            "variants/1: there is no `value` here",
        ]
    );
}

#[test]
fn what_does_not_fit_an_item_is_refused_with_how_much_it_is_over() {
    let long = "x".repeat(9_000);
    let mut model = model();
    let note = model.attributes[&"note".parse::<Code>().unwrap()].clone();
    let mut values = BTreeMap::new();
    for number in 0..40 {
        let code: Code = format!("n{number:02}").parse().unwrap();
        model.attributes.insert(code.clone(), Attribute { code: code.clone(), ..note.clone() });
        values.insert(code.to_string(), json(&format!(r#"[{{"channel":"web","data":"{long}"}}]"#)));
    }
    let edit = Patch::read(&Data::map([("values", Data::Map(values))])).unwrap();
    let bytes = 2 + 40 * (r#""values/n00//web":"","#.len() + 9_000) - 1;
    let refused = sheet().patch(&edit, &model, &[]);
    assert_eq!(refused, Err(Refused::TooLarge { bytes, over: bytes - SIZE_MAX }));
    let half = Patch { edits: edit.edits.into_iter().take(20).collect(), ..Patch::default() };
    let before = sheet().patch(&half, &model, &[]).unwrap();
    let other = |(path, _): (&Path, _)| (path.clone(), Data::text("y".repeat(9_000)));
    let turned = Patch { edits: half.edits.iter().map(other).collect(), ..Patch::default() };
    let refused = before.patch(&turned, &model, &[]).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the change alone has 361001 bytes, 53801 more than the 307200 that fit: make it in parts"
    );
}

#[test]
fn a_variant_says_what_its_product_says_unless_it_says_otherwise() {
    let sheet = patched(
        r#"{"values":{"color":[{"data":"red"}]},"variants":{"2":{"values":{"color":[{"data":"blue"}]}}}}"#,
    );
    let color = |variant| sheet.content.value(variant, &"color".parse().unwrap(), &Place::default()).cloned();
    assert_eq!(
        [color(None), color(Some(1)), color(Some(2))],
        ["red", "red", "blue"].map(|c| Some(Data::text(c)))
    );
}

#[test]
fn a_path_reads_back_and_nothing_else_is_one() {
    for text in [
        "family",
        "assets",
        "values/color",
        "values/color/de",
        "values/color//web",
        "values/color/de-AT/web",
        "variants/12/values/color",
        "variants/12/translations/color/de/web",
        "translations/color/de",
    ] {
        assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
    }
    for text in
        ["", "values", "values/", "values/Color", "variants/0/values/a", "variants/01/values/a", "x/a"]
    {
        assert!(text.parse::<Path>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_says_the_same_when_it_is_patched_into_nothing(
        patches in prop::collection::vec(any_patch(), 1..12),
    ) {
        let model = model();
        let said = patches.iter().fold(sheet(), |sheet, patch| sheet.patch(patch, &model, &[1, 2]).unwrap());
        let shown = Patch::read(&said.content.show()).unwrap();
        let again = sheet().patch(&shown, &model, &[1, 2]).unwrap();
        prop_assert_eq!(&again.content, &said.content);
        let text = serde_json::to_string(&said.content).unwrap();
        prop_assert_eq!(said.content.size(), text.len());
        prop_assert_eq!(serde_json::from_str::<Content>(&text).unwrap(), said.content);
    }
}
