use super::*;
use crate::pim::sheet::tests::{any_patch, edit, model, patched, sheet};
use proptest::prelude::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + hour * 3_600).unwrap()
}

fn bytes(sheet: &Sheet) -> String {
    serde_json::to_string(&sheet.content).unwrap()
}

/// Every version, and the changes between them.
fn lived(patches: &[crate::pim::sheet::Patch]) -> (Vec<Sheet>, Vec<Change>) {
    let (mut versions, mut changes) = (vec![sheet()], Vec::new());
    for patch in patches {
        let before = versions.last().unwrap();
        let after = before.patch(patch, &model(), &[1, 2]).unwrap();
        if let Some(change) = Change::of(before, &after, at(0), "person:anna", None) {
            changes.push(change);
            versions.push(after);
        }
    }
    (versions, changes)
}

#[test]
fn a_change_says_who_when_why_and_from_what_to_what() {
    let before = patched(r#"{"values":{"brand":[{"data":"Ember"}],"color":[{"data":"red"}]}}"#);
    let after =
        edit(&before, r#"{"values":{"brand":[{"data":"Alma"}],"color":null,"tags":[{"data":["eco"]}]}}"#);
    let reason = Some("new label".parse().unwrap());
    let change = Change::of(&before, &after, at(1), "person:anna", reason).unwrap();
    let text = serde_json::to_string(&change).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"version":2,"at":"2026-01-05T09:00:00Z","by":"person:anna","reason":"new label","diff":["#,
            r#"{"path":"values/brand","before":"Ember","after":"Alma"},"#,
            r#"{"path":"values/color","before":"red"},{"path":"values/tags","after":["eco"]}]}"#
        )
    );
    assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
    assert_eq!(change.diff.size(), serde_json::to_string(&change.diff).unwrap().len());
    assert_eq!(Change::of(&after, &after, at(1), "person:anna", None), None);
}

#[test]
fn a3_5_a_restored_version_is_equal_byte_for_byte_and_a_new_version() {
    let (versions, mut changes) = lived(&[
        crate::pim::sheet::tests::patch(r#"{"family":"shirt","values":{"brand":[{"data":"Ember"}]}}"#),
        crate::pim::sheet::tests::patch(r#"{"values":{"brand":[{"data":"Alma"}]}}"#),
        crate::pim::sheet::tests::patch(r#"{"family":null,"values":{"brand":null}}"#),
    ]);
    let restored = restore(&versions[3], 1, &changes[1..]).unwrap();
    assert_eq!(bytes(&restored), r#"{"family":"shirt","values/brand":"Ember"}"#);
    assert_eq!(restored.version, 4);
    let change = Change::of(&versions[3], &restored, at(4), "person:anna", None).unwrap();
    assert_eq!(change.version, 4, "the restoration is in the history, and can be taken back");
    changes.push(change);
    assert_eq!(bytes(&restore(&restored, 3, &changes).unwrap()), "{}");
    assert_eq!(restore(&versions[3], 3, &[]), Ok(versions[3].clone()), "the current version is no news");
}

#[test]
fn a_history_with_a_gap_or_another_past_is_not_restored_from() {
    let (versions, changes) = lived(&[
        crate::pim::sheet::tests::patch(r#"{"values":{"brand":[{"data":"Ember"}]}}"#),
        crate::pim::sheet::tests::patch(r#"{"values":{"brand":[{"data":"Alma"}]}}"#),
    ]);
    assert_eq!(restore(&versions[2], 0, &changes[1..]), Err(Unrestorable::Gap(1)));
    assert_eq!(restore(&versions[2], 3, &changes), Err(Unrestorable::Version(3)));
    let path: Path = "values/brand".parse().unwrap();
    let other = edit(&versions[1], r#"{"values":{"brand":[{"data":"Other"}]}}"#);
    assert_eq!(restore(&other, 0, &changes), Err(Unrestorable::Broken { version: 2, path }));
}

#[test]
fn a_change_waits_for_its_time_and_conflicts_where_its_path_has_changed_and_nowhere_else() {
    let before = patched(r#"{"values":{"brand":[{"data":"Ember"}],"color":[{"data":"red"}]}}"#);
    let wanted = edit(&before, r#"{"values":{"brand":[{"data":"Alma"}],"tags":[{"data":["new"]}]}}"#);
    let diff = Diff::between(&before.content, &wanted.content);
    let planned = Scheduled { due: at(5), by: "person:anna".to_owned(), reason: None, diff };
    assert_eq!(planned.perform(&before, at(4)), Err(NotNow::Early(at(5))));

    let elsewhere = edit(&before, r#"{"values":{"color":[{"data":"blue"}]}}"#);
    assert_eq!(
        bytes(&planned.perform(&elsewhere, at(5)).unwrap()),
        r#"{"values/brand":"Alma","values/color":"blue","values/tags":["new"]}"#
    );
    assert_eq!(planned.perform(&wanted, at(5)), Ok(wanted.clone()), "it is as wanted already");

    let meanwhile = edit(&before, r#"{"values":{"brand":[{"data":"Other"}]}}"#);
    let refused = planned.perform(&meanwhile, at(5)).unwrap_err();
    assert_eq!(refused.to_string(), "1 of what it was to replace has changed meanwhile, first: values/brand");
    let some = |text: &str| Some(crate::pim::data::Data::text(text));
    let path = "values/brand".parse().unwrap();
    assert_eq!(
        planned.conflicts(&meanwhile),
        [Conflict { path, expected: some("Ember"), found: some("Other") }]
    );
}

proptest! {
    #[test]
    fn a3_5_any_version_of_any_history_is_restored_byte_for_byte(
        patches in prop::collection::vec(any_patch(), 1..16),
        pick in any::<prop::sample::Index>(),
    ) {
        let (versions, changes) = lived(&patches);
        let current = versions.last().unwrap();
        let wanted = pick.get(&versions);
        let newer = changes.iter().filter(|change| change.version > wanted.version).cloned().collect::<Vec<_>>();
        let restored = restore(current, wanted.version, &newer).unwrap();
        prop_assert_eq!(bytes(&restored), bytes(wanted));
        let same = current.content == wanted.content;
        prop_assert_eq!(restored.version, current.version + u32::from(!same));
    }

    #[test]
    fn a_diff_leads_there_and_back(
        first in prop::collection::vec(any_patch(), 0..8),
        second in prop::collection::vec(any_patch(), 0..8),
    ) {
        let (one, _) = lived(&first);
        let (two, _) = lived(&second);
        let (one, two) = (one.last().unwrap(), two.last().unwrap());
        let diff = Diff::between(&one.content, &two.content);
        let mut content = one.content.clone();
        diff.apply(&mut content);
        prop_assert_eq!(&content, &two.content);
        diff.revert(&mut content);
        prop_assert_eq!(&content, &one.content);
        prop_assert_eq!(diff.size(), serde_json::to_string(&diff).unwrap().len());
    }
}
