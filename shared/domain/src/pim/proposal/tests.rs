use super::*;
use crate::pim::sheet::tests::{any_patch, patch};
use proptest::prelude::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_767_600_000 + hour * 3_600).unwrap()
}

fn proposal() -> Proposal {
    Proposal {
        id: ProposalId::from_bits(1),
        merchant: MerchantId::from_bits(2),
        about: About::Change {
            product: ProductId::from_bits(3),
            version: 4,
            patch: patch(r#"{"values":{"brand":[{"data":"Ember"}]}}"#),
        },
        proposed_at: at(0),
        note: None,
        stage: Stage::Pending,
    }
}

fn requests() -> [Request; 3] {
    [
        Request::Confirm { by: "person:anna".to_owned() },
        Request::Decline { by: "person:anna".to_owned(), reason: "not ours".parse().unwrap() },
        Request::Cancel { merchant: MerchantId::from_bits(2) },
    ]
}

#[test]
fn a3_4_a_proposal_is_resolved_exactly_once() {
    for (first, request) in requests().into_iter().enumerate() {
        let Ok(Decision::New(fact)) = decide(&proposal(), request, at(1)) else {
            panic!("pending is resolved")
        };
        let resolved = proposal().apply(fact);
        for (second, again) in requests().into_iter().enumerate() {
            let told = decide(&resolved, again, at(2)).map_err(|refused| refused.to_string());
            let word = ["confirmed", "declined", "canceled"][first];
            let refusal = format!("it is {word} already: only what is pending can be resolved");
            assert_eq!(told, if first == second { Ok(Decision::Already) } else { Err(refusal) });
        }
    }
}

#[test]
fn nobody_cancels_what_another_proposed() {
    let other = Request::Cancel { merchant: MerchantId::from_bits(9) };
    assert_eq!(decide(&proposal(), other, at(1)), Err(Refused::NotYours));
}

#[test]
fn a_proposal_at_rest_is_short_and_reads_back() {
    let text = serde_json::to_string(&proposal()).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"id":"prp_00000000000000000000000001","merchant":"mer_00000000000000000000000002","#,
            r#""about":{"is":"change","product":"prd_00000000000000000000000003","version":4,"#,
            r#""patch":{"edits":{"values/brand":"Ember"}}},"#,
            r#""proposed_at":"2026-01-05T08:00:00Z","stage":{"at":"pending"}}"#
        )
    );
    assert_eq!(serde_json::from_str::<Proposal>(&text).unwrap(), proposal());
}

#[test]
fn brand_title_and_family_wait_and_the_rest_is_done_at_once() {
    let patch = patch(
        r#"{"family":"cap","assets":["ast_00000001"],"values":{"brand":null,"size":[{"data":1}],
            "name":[{"locale":"de","data":"Hemd"}]},"variants":{"1":{"values":{"color":[{"data":"red"}]}},"2":null}}"#,
    );
    let policy = Policy::first();
    assert_eq!((policy.price, policy.product), (Way::Automatic, Way::Review));
    let (now, later) = split(&policy, Some(&"name".parse().unwrap()), patch);
    let paths = |patch: &Patch| patch.edits.keys().map(Path::to_string).collect::<Vec<_>>();
    assert_eq!(paths(&now), ["assets", "values/size", "variants/1/values/color"]);
    assert_eq!(paths(&later), ["family", "values/name/de"]);
    assert_eq!((now.cleared.len(), later.cleared.len()), (0, 2));
}

proptest! {
    #[test]
    fn the_parts_of_a_patch_are_the_patch(patch in any_patch()) {
        let (mut now, later) = split(&Policy::first(), Some(&"name".parse().unwrap()), patch.clone());
        now.edits.extend(later.edits);
        now.cleared.extend(later.cleared);
        prop_assert_eq!(now, patch);
    }
}
