use super::*;
use crate::id::derive;

fn at(hour: i8) -> Timestamp {
    jiff::civil::datetime(2026, 4, 1, hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

fn awaited() -> Asset {
    Asset::begin(AssetId::from_bits(derive(&["mug"])), None, "mug_01.jpg".parse().unwrap(), at(8))
}

fn media(file: u32) -> Media {
    let sha256: Sha256 = format!("{file:064x}").parse().unwrap();
    let shown = File { sha256: sha256.clone(), bytes: 5 };
    let kind =
        Kind::Video { milliseconds: 2_500, width: 640, height: 360, codec: "avc1".parse().unwrap(), shown };
    Media { file, sha256, bytes: 5, kind }
}

fn broken() -> (Unusable, Text) {
    (Unusable::Broken, "it ends after 512 bytes".parse().unwrap())
}

fn now(asset: &Asset, decision: Decision<Fact>) -> Asset {
    match decision {
        Decision::New(fact) => asset.clone().apply(fact),
        Decision::Already => asset.clone(),
    }
}

#[test]
fn a_file_that_was_sent_is_judged_once() {
    let asset = awaited();
    let ready = now(&asset, asset.judge(1, Ok(media(1)), at(9)));
    assert_eq!((ready.stage.clone(), ready.media.clone()), (Stage::Ready { since: at(9) }, Some(media(1))));
    // The bucket tells of it five times, and once with another outcome.
    for outcome in [Ok(media(1)), Err(broken())] {
        assert_eq!(ready.judge(1, outcome, at(10)), Decision::Already);
    }
}

#[test]
fn until_a_newer_file_is_there_the_one_before_is_shown_and_the_older_comes_too_late() {
    let asset = awaited();
    let ready = now(&asset, asset.judge(1, Ok(media(1)), at(9)));
    let replaced = ready.clone().apply(ready.replace(at(10)).unwrap());
    assert_eq!((replaced.file, replaced.shown(at(11))), (2, Some(&media(1))));
    assert_eq!(replaced.judge(1, Ok(media(1)), at(11)), Decision::Already);
    let refused = now(&replaced, replaced.judge(2, Err(broken()), at(11)));
    assert_eq!(refused.shown(at(11)), Some(&media(1)));
    let (why, said) = broken();
    assert_eq!(refused.stage, Stage::Refused { since: at(11), why, said });
    let again = refused.clone().apply(refused.replace(at(12)).unwrap());
    let newer = now(&again, again.judge(3, Ok(media(3)), at(12)));
    assert_eq!(newer.shown(at(12)), Some(&media(3)));
}

#[test]
fn nothing_is_shown_from_the_moment_at_which_its_rights_end() {
    let asset = awaited();
    let ready = now(&asset, asset.judge(1, Ok(media(1)), at(9)));
    let rights = Rights { until: Some(at(12)), ..Rights::default() };
    let described = ready.describe(ready.name.clone(), BTreeMap::new(), Some(rights.clone())).unwrap();
    let limited = now(&ready, described);
    assert_eq!((limited.shown(at(11)), limited.shown(at(12))), (Some(&media(1)), None));
    let same = limited.describe(limited.name.clone(), BTreeMap::new(), Some(rights));
    assert_eq!(same, Ok(Decision::Already));
}

#[test]
fn what_is_deleted_stays_so_and_keeps_no_words_of_anybody() {
    let asset = awaited();
    let alt = BTreeMap::from([("de".parse().unwrap(), "Becher".parse().unwrap())]);
    let rights = Some(Rights { holder: Some("Studio Alma".parse().unwrap()), ..Rights::default() });
    let told = now(&asset, asset.describe(asset.name.clone(), alt, rights).unwrap());
    let gone = now(&told, told.delete(at(9)));
    assert_eq!((gone.media.clone(), gone.alt.len(), gone.rights.clone()), (None, 0, None));
    assert_eq!(gone.stage, Stage::Deleted { since: at(9) });
    assert_eq!(gone.delete(at(10)), Decision::Already);
    assert_eq!(gone.replace(at(10)), Err(Refused::Deleted));
    assert_eq!(gone.describe(gone.name.clone(), BTreeMap::new(), None), Err(Refused::Deleted));
    assert_eq!(gone.judge(1, Ok(media(1)), at(10)), Decision::Already);
}

#[test]
fn words_are_those_of_the_first_language_that_there_are() {
    let asset = awaited();
    let alt = ["de", "en"].map(|tag| (tag.parse::<Locale>().unwrap(), format!("in {tag}").parse().unwrap()));
    let asset = now(&asset, asset.describe(asset.name.clone(), BTreeMap::from(alt), None).unwrap());
    let words = |tags: &[&str]| {
        let locales: Vec<Locale> = tags.iter().map(|tag| tag.parse().unwrap()).collect();
        asset.words(&locales).map(ToString::to_string)
    };
    assert_eq!(words(&["de-AT", "de", "en"]), Some("in de".to_owned()));
    assert_eq!(words(&["fr", "en"]), Some("in en".to_owned()));
    assert_eq!(words(&["fr"]), None);
}

#[test]
fn what_was_made_of_a_file_is_kept_while_it_is_shown_or_waited_for_or_is_newer_than_all_that_is_known() {
    let kept = |asset: &Asset| [1, 2, 3, 4].map(|file| asset.keeps(file));
    let asset = awaited();
    assert_eq!(kept(&asset), [true, true, true, true]);
    let ready = now(&asset, asset.judge(1, Ok(media(1)), at(9)));
    let twice = ready.clone().apply(ready.replace(at(10)).unwrap());
    let thrice = twice.clone().apply(twice.replace(at(10)).unwrap());
    assert_eq!(kept(&thrice), [true, false, true, true]);
    let refused = now(&thrice, thrice.judge(3, Err(broken()), at(11)));
    assert_eq!(kept(&refused), [true, false, false, true]);
    let newer = now(&thrice, thrice.judge(3, Ok(media(3)), at(11)));
    assert_eq!(kept(&newer), [false, false, true, true]);
    let gone = now(&newer, newer.delete(at(12)));
    assert_eq!(kept(&gone), [false, false, false, false]);
}

#[test]
fn before_its_rights_begin_and_once_they_have_ended_it_is_not_shown_and_its_file_goes_with_them() {
    let asset = awaited();
    let ready = now(&asset, asset.judge(1, Ok(media(1)), at(9)));
    let rights = Rights { from: Some(at(10)), until: Some(at(12)), ..Rights::default() };
    let limited = now(&ready, ready.describe(ready.name.clone(), BTreeMap::new(), Some(rights)).unwrap());
    let shown = [9, 10, 11, 12].map(|hour| limited.shown(at(hour)).is_some());
    assert_eq!(shown, [false, true, true, false]);
    let due = [9, 10, 12].map(|hour| limited.rights_due(at(hour)));
    let ended = Fact::RightsEnded { at: at(12) };
    assert_eq!(due, [Decision::Already, Decision::New(Fact::RightsBegan), Decision::New(ended.clone())]);
    let gone = limited.clone().apply(ended);
    assert_eq!((&gone.stage, &gone.media), (&Stage::Ended { since: at(12) }, &None));
    assert_eq!((gone.keeps(1), gone.rights_due(at(13))), (false, Decision::Already));
    // A newer file that is awaited meanwhile still is.
    let replaced = limited.clone().apply(limited.replace(at(11)).unwrap());
    let ended = now(&replaced, replaced.rights_due(at(12)));
    assert_eq!((ended.awaits(2), ended.shown(at(12)), ended.keeps(1)), (true, None, false));
    let reversed = Rights { from: Some(at(12)), until: Some(at(12)), ..Rights::default() };
    let refused = ready.describe(ready.name.clone(), BTreeMap::new(), Some(reversed));
    assert_eq!(refused, Err(Refused::Rights));
}

#[test]
fn descriptions_of_an_asset_have_a_bound_in_all() {
    let asset = awaited();
    let alt = |bytes: usize| {
        let words = ["de", "en"].map(|tag| (tag.parse().unwrap(), "w".repeat(bytes).parse().unwrap()));
        asset.describe(asset.name.clone(), BTreeMap::from(words), None)
    };
    assert!(alt(1_250).is_ok());
    assert_eq!(alt(1_251), Err(Refused::Words(2_502)));
}
