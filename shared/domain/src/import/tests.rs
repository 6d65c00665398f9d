use super::*;
use crate::id::derive;

fn at(hour: i8) -> Timestamp {
    jiff::civil::datetime(2026, 4, 1, hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

fn awaiting() -> Import {
    Import {
        id: ImportId::from_bits(derive(&["mugs"])),
        merchant: None,
        name: "mugs.csv".parse().unwrap(),
        profile: "mugs".parse().unwrap(),
        of: Of::Products,
        format: Format::Csv,
        dry_run: false,
        requested_at: at(8),
        by: "key:k".to_owned(),
        stage: Stage::AwaitingFile { since: at(8) },
        counts: Counts::default(),
    }
}

fn cut() -> Word {
    "cut1".parse().unwrap()
}

fn why() -> Text {
    "it has no rows".parse().unwrap()
}

fn after(import: &Import, decision: Decision<Fact>) -> Import {
    match decision {
        Decision::New(fact) => import.clone().apply(fact),
        Decision::Already => panic!("nothing happened to what is {}", import.stage.word()),
    }
}

fn running() -> Import {
    let awaiting = awaiting();
    after(&awaiting, awaiting.begin(cut(), 2, at(9)))
}

/// One in each stage.
fn lives() -> [Import; 5] {
    let (awaiting, running) = (awaiting(), running());
    let half = after(&running, running.advance(0, Counts::default(), at(10)));
    let done = after(&half, half.advance(1, Counts::default(), at(11)));
    let failed = after(&awaiting, awaiting.fail(why(), at(9)));
    let canceled = after(&half, half.cancel(at(11)).unwrap());
    [awaiting, half, done, failed, canceled]
}

#[test]
fn a_job_goes_on_from_where_it_is_and_never_from_its_end() {
    let word = |import: &Import, decision: Decision<Fact>| match decision {
        Decision::New(fact) => import.clone().apply(fact).stage.word(),
        Decision::Already => "-",
    };
    let table: Vec<String> = lives()
        .iter()
        .map(|import| {
            let words = [
                word(import, import.begin(cut(), 3, at(12))),
                word(import, import.advance(0, Counts::default(), at(12))),
                word(import, import.advance(1, Counts::default(), at(12))),
                word(import, import.fail(why(), at(12))),
                import.cancel(at(12)).map_or("refused", |decision| word(import, decision)),
            ];
            format!("{}: {}", import.stage.word(), words.join(" "))
        })
        .collect();
    // Begun, the first part, the second, it cannot go on, canceled.
    assert_eq!(
        table,
        [
            "awaiting_file: running - - failed canceled",
            "running: - - done failed canceled",
            "done: - - - - refused",
            "failed: - - - - refused",
            "canceled: - - - - -",
        ]
    );
}

#[test]
fn each_part_is_counted_once_and_in_its_order() {
    let import = running();
    let first = Counts { rows: 3, created: 2, refused: 1, ..Counts::default() };
    let half = after(&import, import.advance(0, first, at(10)));
    for late in [0, 2, 7] {
        assert_eq!(half.advance(late, first, at(11)), Decision::Already, "{late}");
    }
    let second = Counts { rows: 2, changed: 1, unchanged: 1, ..Counts::default() };
    let done = after(&half, half.advance(1, second, at(11)));
    assert_eq!(done.counts, Counts { rows: 5, created: 2, changed: 1, unchanged: 1, refused: 1 });
    assert_eq!(done.stage, Stage::Done { since: at(11) });
}

#[test]
fn flaws_are_kept_of_the_first_thousand_rows_that_have_some() {
    let counts = |refused| Counts { refused, ..Counts::default() };
    assert_eq!([0, 950, 1_000, 5_000].map(|refused| counts(refused).room(90)), [90, 50, 0, 0]);
}
