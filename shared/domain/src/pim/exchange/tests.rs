use super::*;
use crate::pim::sheet::Refused;
use crate::pim::sheet::tests::{json, model, sheet};
use proptest::prelude::*;

fn profile(mappings: &[&str]) -> Profile {
    let text = format!(r#"{{"code":"source","mappings":[{}]}}"#, mappings.join(","));
    let profile: Profile = serde_json::from_str(&text).unwrap();
    assert_eq!(profile.check(), Ok(()));
    profile
}

fn row(text: &str) -> Row {
    serde_json::from_str(text).unwrap()
}

fn one(steps: &str, cell: &str) -> Result<Data, String> {
    let profile =
        profile(&[&format!(r#"{{"from":{{"column":"x"}},"to":{{"field":"title"}},"steps":{steps}}}"#)]);
    let mapped = profile.read(&row(&format!(r#"{{"x":{cell}}}"#)));
    mapped
        .map(|mapped| mapped.fields.get(&Field::Title).cloned().unwrap_or(Data::Null))
        .map_err(|wrongs| wrongs.iter().map(Wrong::to_string).collect::<Vec<_>>().join("; "))
}

#[test]
fn a_step_makes_of_a_cell_what_is_wanted() {
    let table = [
        (r#"["trim"]"#, r#""  a \t b ""#, r#""a b""#),
        (r#"["trim"]"#, r#""a\u0007\u202e\u2028b\u200e""#, r#""a b\u200e""#),
        (r#"["trim","lower"]"#, r#"" ÄB ""#, r#""äb""#),
        (r#"["code"]"#, r#""Printing (colors) Ä""#, r#""printing_colors""#),
        (r#"[{"split":"|"}]"#, r#""a| b||c""#, r#"["a","b","c"]"#),
        (r#"[{"split":","},"first"]"#, r#""a,b""#, r#""a""#),
        (r#"["first"]"#, r#"["a","b"]"#, r#""a""#),
        (r#"["lower"]"#, r#"["A",""," "]"#, r#"["a"]"#),
        (r#"[{"cut":3}]"#, r#""ab cd""#, r#""ab""#),
        (r#"[{"without":"SKU:"}]"#, r#""SKU: 7""#, r#""7""#),
        (r#"["decimal_comma"]"#, r#""1.234,50""#, r#""1234.5""#),
        (r#"["decimal_comma"]"#, r#""-0,5""#, r#""-0.5""#),
        (r#"["decimal_comma"]"#, r#""1234,5""#, r#""1234.5""#),
        (r#"["number"]"#, r#""1,234,567.80""#, r#""1234567.8""#),
        (r#"["number"]"#, r#""6.0""#, r#""6""#),
        (r#"["number"]"#, "6", r#""6""#),
        (r#"["number"]"#, r#""1e-06""#, r#""0.000001""#),
        (r#"["number"]"#, r#""-2.5E+3""#, r#""-2500""#),
        (r#"["day"]"#, r#""2009-12-10T00:00:00Z""#, r#""2009-12-10""#),
        (r#"["number",{"unit":"cm"}]"#, r#""2.0""#, r#"{"amount":"2","unit":"cm"}"#),
        (r#"[{"cents":"EUR"}]"#, "4995", r#"{"amount":"49.95","currency":"EUR"}"#),
        (r#"[{"cents":"JPY"}]"#, r#""4995""#, r#"{"amount":"4995","currency":"JPY"}"#),
        (r#"[{"money":"EUR"}]"#, r#""49.9""#, r#"{"amount":"49.90","currency":"EUR"}"#),
        (r#"[{"truth":{"yes":["Y","yes"],"no":["N"]}}]"#, r#""YES""#, "true"),
        (r#"[{"truth":{"yes":["Y"],"no":["N"]}}]"#, "false", "false"),
        (r#"[{"lookup":{"table":{"Rot":"red"}}}]"#, r#""Rot""#, r#""red""#),
        (r#"[{"lookup":{"table":{"Rot":"red"},"or_itself":true}}]"#, r#""Blau""#, r#""Blau""#),
        (r#"["trim"]"#, r#""   ""#, "null"),
        (r#"[]"#, r#""'=1+1""#, r#""=1+1""#),
    ];
    for (steps, cell, want) in table {
        assert_eq!(one(steps, cell), Ok(json(want)), "{steps} of {cell}");
    }
}

#[test]
fn a_cell_that_cannot_be_read_is_told_with_its_column() {
    let table = [
        (r#"["decimal_comma"]"#, r#""12.5""#, "x: `12.5` is no decimal number like 12.5"),
        (r#"["decimal_comma"]"#, r#""1,234,5""#, "x: `1,234,5` is no decimal number like 12.5"),
        (r#"["number"]"#, r#""12,5""#, "x: `12,5` is no decimal number like 12.5"),
        (r#"["number"]"#, r#""1e99""#, "x: `1e99` is no decimal number like 12.5"),
        (
            r#"[{"cents":"EUR"}]"#,
            r#""49.95""#,
            "x: `49.95` is no whole number of the smallest units: say `money` where amounts have a point",
        ),
        (r#"[{"money":"EUR"}]"#, r#""1.999""#, "x: `1.999` has more decimals than EUR has (2)"),
        (r#"[{"lookup":{"table":{"Rot":"red"}}}]"#, r#""Blau""#, "x: `Blau` is none of its options"),
        (r#"["day"]"#, r#""10.12.2009""#, "x: `10.12.2009` is no day like 2026-11-26"),
    ];
    for (steps, cell, want) in table {
        assert_eq!(one(steps, cell), Err(want.to_owned()), "{steps} of {cell}");
    }
}

const SHIRTS: [&str; 6] = [
    r#"{"from":{"column":"id"},"to":{"field":"external_id"},"required":true}"#,
    r#"{"from":{"constant":"shirt"},"to":"family"}"#,
    r#"{"from":{"column":"Titel"},"to":{"value":{"attribute":"name","place":{"locale":"de"}}},"steps":["trim"]}"#,
    r#"{"from":{"column":"Farbe"},"to":{"value":{"attribute":"color"}},
        "steps":[{"lookup":{"table":{"Rot":"red"},"or_itself":true}}]}"#,
    r#"{"from":{"column":"Breite"},"to":{"value":{"attribute":"size"}},"steps":["decimal_comma",{"unit":"mm"}]}"#,
    r#"{"from":{"column":"Preis"},"to":{"field":"price"},"steps":["decimal_comma",{"money":"EUR"}]}"#,
];

#[test]
fn a_row_is_fields_and_a_patch_that_fits_the_sheet() {
    let mapped = profile(&SHIRTS)
        .read(&row(
            r#"{"id":"7","Titel":" Hemd ","Farbe":"Rot","Breite":"12,5","Preis":"1.049,90","Rest":"x"}"#,
        ))
        .unwrap();
    assert_eq!(
        serde_json::to_string(&mapped.fields).unwrap(),
        r#"{"external_id":"7","price":{"amount":"1049.90","currency":"EUR"}}"#
    );
    let said = sheet().patch(&mapped.patch, &model(), &[1]).unwrap();
    assert_eq!(
        serde_json::to_string(&said.content).unwrap(),
        concat!(
            r#"{"family":"shirt","values/color":"red","values/name/de":"Hemd","#,
            r#""values/size":{"amount":"12.5","unit":"mm"}}"#
        )
    );
    let again = said.patch(&mapped.patch, &model(), &[1]).unwrap();
    assert_eq!(again, said, "the same row again changes nothing");
}

#[test]
fn all_that_is_wrong_with_a_row_is_told_by_column() {
    let wrongs = profile(&SHIRTS).read(&row(r#"{"Breite":"weit","Preis":"1,999"}"#)).unwrap_err();
    assert_eq!(
        wrongs.iter().map(Wrong::to_string).collect::<Vec<_>>(),
        [
            "id: it is missing, and a row without it is not taken",
            "Breite: `weit` is no decimal number like 12.5",
            "Preis: `1.999` has more decimals than EUR has (2)",
        ]
    );
}

#[test]
fn what_the_sheet_refuses_leads_back_to_its_column() {
    let mapped = profile(&SHIRTS).read(&row(r#"{"id":"7","Farbe":"Blau"}"#)).unwrap();
    let Err(Refused::Wrong(wrongs)) = sheet().patch(&mapped.patch, &model(), &[]) else {
        panic!("blau is no color")
    };
    assert_eq!(wrongs[0].to_string(), "values/color: `Blau` is none of its options");
    assert_eq!(mapped.blame(&wrongs[0]), Some("Farbe"));
    let within = Wrong::new("values/size/amount", Flaw::Empty);
    assert_eq!(mapped.blame(&within), None, "the row had no such cell");
}

#[test]
fn an_empty_cell_says_nothing_or_removes_as_the_profile_has_it() {
    let mut profile = profile(&SHIRTS);
    let empty = row(r#"{"id":"7","Farbe":"","Titel":" "}"#);
    assert_eq!(profile.read(&empty).unwrap().patch.edits.len(), 1, "the family alone");
    profile.empty = Empty::Remove;
    let edits = profile.read(&empty).unwrap().patch.edits;
    let removed: Vec<String> =
        edits.iter().filter(|(_, data)| **data == Data::Null).map(|(path, _)| path.to_string()).collect();
    assert_eq!(removed, ["values/color", "values/name/de", "values/size"]);
}

#[test]
fn columns_with_a_beginning_become_attributes_named_after_them() {
    let profile = profile(&[
        r#"{"from":{"columns":"attr_t_"},"to":{"named":{"kind":{"is":"text","max":4000},"place":{"locale":"en"}}}}"#,
        r#"{"from":{"columns":"attr_n_"},"to":{"named":{"before":"n_","kind":{"is":"number","decimals":6}}},
            "steps":["number"]}"#,
        r#"{"from":{"columns":"attr_b_"},"to":{"named":{"kind":{"is":"boolean"}}}}"#,
    ]);
    let long = "x".repeat(70);
    let row = row(&format!(
        r#"{{"attr_t_type":"Original","attr_n_Size":"6.0","attr_b_touchscreen":false,"attr_b_{long}":true,"x":"y"}}"#
    ));
    let mapped = profile.read(&row).unwrap();
    let paths: Vec<String> = mapped.patch.edits.keys().map(Path::to_string).collect();
    let cut = format!("values/{}_c71bd109", "x".repeat(55));
    assert_eq!(paths, ["values/n_size", "values/touchscreen", "values/type/en", cut.as_str()]);
    let mut model = model();
    model.attributes.extend(profile.declares(row.keys().map(String::as_str)));
    let said = sheet().patch(&mapped.patch, &model, &[]).unwrap();
    assert_eq!(said.content.values().count(), 4);
}

#[test]
fn a_profile_that_cannot_work_is_refused() {
    let refused = |mappings: &[&str]| {
        let text = format!(r#"{{"code":"source","mappings":[{}]}}"#, mappings.join(","));
        serde_json::from_str::<Profile>(&text).unwrap().check().unwrap_err().to_string()
    };
    assert_eq!(refused(&[]), "a profile has 1 to 500 mappings, not 0");
    let title = r#"{"from":{"column":"x"},"to":{"field":"title"}}"#;
    assert_eq!(refused(&[title, title]), "mapping 1 goes where mapping 0 goes");
    assert_eq!(
        refused(&[r#"{"from":{"columns":"x"},"to":{"field":"title"}}"#]),
        "mapping 0: columns with a beginning become attributes named after them, and nothing else does"
    );
    assert_eq!(
        refused(&[r#"{"from":{"column":"x"},"to":{"field":"title"},"steps":[{"split":""}]}"#]),
        "mapping 0 has more than 10 steps, parts a text by nothing, or looks nothing up"
    );
}

#[test]
fn what_a_spreadsheet_would_run_is_disarmed_and_numbers_stay_numbers() {
    let table = [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("-1+2", "'-1+2"),
        ("-12.5", "-12.5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("'tis", "'tis"),
        ("a=1", "a=1"),
        ("", ""),
    ];
    for (text, want) in table {
        assert_eq!(disarmed(text), want);
        assert_eq!(armed(want), text);
    }
    assert_eq!(csv_line(["a", "=1,\"x\"", " b", "c\nd"]), "a,\"'=1,\"\"x\"\"\",\" b\",\"c\nd\"\r\n");
}

proptest! {
    #[test]
    fn a_cell_that_goes_out_comes_back_and_is_never_run(text in "['=+@\t\r\\-a1.]{0,6}") {
        let out = disarmed(&text);
        prop_assert_eq!(armed(&out), text.as_str());
        prop_assert!(!out.starts_with(['=', '+', '@', '\t', '\r']));
        prop_assert!(!out.starts_with('-') || decimal(&out).is_some());
    }
}
