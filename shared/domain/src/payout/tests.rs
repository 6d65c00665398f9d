use super::*;
use crate::fx::FxRate;
use crate::merchant_order::{RefundLines, Units};
use crate::order;
use crate::order::tests::{at, eur, id, merchant};
use crate::payment::To;
use crate::stock::Shelves;
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeMap;

const IBAN: &str = "DE89370400440532013000";

fn active() -> PayoutAccount {
    PayoutAccount::Active { holder: id("Anna Mug"), iban: id(IBAN) }
}

fn entry(kind: EntryKind, items: i64, delivery: i64, fees: i64, commit: Timestamp) -> MerchantEntry {
    MerchantEntry {
        merchant: merchant(1),
        payable_day: payable_day(commit, 0, commit),
        cause: "mor_0000000101".to_owned(),
        kind,
        amount: eur(items + delivery - fees),
        items: eur(items),
        delivery: eur(delivery),
        fees: eur(fees),
        withheld: None,
        supported: None,
        at: commit,
    }
}

fn totals<'a>(entries: impl IntoIterator<Item = &'a MerchantEntry>) -> Totals {
    entries.into_iter().fold(Totals::zero(id("EUR")), |sum, entry| sum.with(entry).unwrap())
}

/// The claim of everything up to a day, from what nobody has claimed.
fn claim_of(claimed: &Claimed, entries: &[MerchantEntry], through: Date, now: Timestamp) -> Claim {
    let range = |entry: &&MerchantEntry| entry.payable_day > claimed.through && entry.payable_day <= through;
    claim(claimed, &active(), totals(entries.iter().filter(range)), through, now).unwrap()
}

fn net(minor: i64) -> Totals {
    Totals { entries: 1, orders: 1, items: eur(minor), net: eur(minor), ..Totals::zero(id("EUR")) }
}

/// 49.80, claimed on a Wednesday for the days up to Tuesday.
fn created() -> Payout {
    let nothing = Claimed::nothing(merchant(1));
    let claimed = claim(&nothing, &active(), net(49_80), date(2017, 1, 3), at(48)).unwrap();
    let Claim::New { payout, .. } = claimed else { panic!("there is something to pay") };
    *payout
}

fn sent() -> Told {
    Told::Sent { reference: id("file-7") }
}

fn failed() -> Told {
    Told::Failed { reason: id("account closed") }
}

fn walk(payout: Payout, told: &[Told]) -> Payout {
    told.iter().fold(payout, |payout, told| match decide(&payout, told.clone(), at(50)) {
        Ok(Decision::New(fact)) => payout.apply(&fact),
        Ok(Decision::Already) | Err(_) => payout,
    })
}

fn shown(posting: &Posting) -> String {
    let entry = |(account, amount): (&Account, Money)| format!("{account} {}", amount.decimal());
    posting.entries().map(entry).collect::<Vec<_>>().join(", ")
}

/// The life of a payout on one page, with the money that each fact moves.
#[test]
fn every_stage_answers_what_is_told() {
    let stages = [
        ("created", created()),
        ("sent", walk(created(), &[sent()])),
        ("paid", walk(created(), &[sent(), Told::Paid])),
        ("failed", walk(created(), &[sent(), failed()])),
        ("failed after paid", walk(created(), &[sent(), Told::Paid, failed()])),
    ];
    let steps = [
        ("sent", sent()),
        ("sent as another", Told::Sent { reference: id("file-8") }),
        ("paid", Told::Paid),
        ("failed", failed()),
    ];
    let mut page = String::new();
    for (stage, payout) in &stages {
        for (name, told) in &steps {
            let line = match decide(payout, told.clone(), at(60)) {
                Ok(Decision::New(fact)) => {
                    let posting = shown(&payout.posting(&fact).unwrap());
                    format!("{} [{posting}]", serde_json::to_string(&fact).unwrap())
                }
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("{stage:<19}{name:<17}{line}\n"));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a2_5_a_payout_needs_an_active_account() {
    let (holder, iban) = (id::<Name>("Anna Mug"), id::<Iban>(IBAN));
    let accounts = [
        PayoutAccount::Missing,
        PayoutAccount::Pending { holder: holder.clone(), iban: iban.clone() },
        PayoutAccount::Blocked { holder, iban, reason: id("sanctions") },
    ];
    let nothing = Claimed::nothing(merchant(1));
    for account in accounts {
        let answer = claim(&nothing, &account, net(49_80), date(2017, 1, 3), at(48));
        assert_eq!(answer, Ok(Claim::NoAccount { balance: eur(49_80) }), "{account:?}");
        // Where there is nothing to pay, nobody is bothered about an account.
        let answer = claim(&nothing, &account, net(-1), date(2017, 1, 3), at(48));
        assert_eq!(answer, Ok(Claim::Nothing { balance: eur(-1) }));
    }
}

#[test]
fn a12_1_the_lines_of_a_statement_sum_to_its_balance_to_the_cent() {
    // Fees of 15 %, each half-up: 43.50 → 6.525 → 6.53; 0.10 → 0.015 → 0.02; 0.09 → 0.0135 → 0.01. Rounded
    // once, their sum would be 6.55 instead of 6.56.
    let earned = |items: i64, fees| {
        assert_eq!(eur(items).percent(15.into()), Ok(eur(fees)));
        entry(EntryKind::Earning, items, 2_00, fees, at(0))
    };
    let entries = [earned(43_50, 6_53), earned(10, 2), earned(9, 1)];
    let sum = totals(&entries);
    assert_eq!((sum.items, sum.delivery, sum.fees), (eur(43_69), eur(6_00), eur(6_56)));
    assert_eq!((sum.net, sum.entries, sum.orders), (eur(43_13), 3, 3));
    let claimed = claim_of(&Claimed::nothing(merchant(1)), &entries, date(2017, 1, 3), at(48));
    let Claim::New { payout, .. } = claimed else { panic!("there is something to pay") };
    assert_eq!((payout.amount, payout.totals), (eur(43_13), sum));
}

#[test]
fn a12_3_a_retry_reuses_the_payouts_id_and_a_claimed_range_is_gone() {
    let (nothing, day) = (Claimed::nothing(merchant(1)), date(2017, 1, 3));
    let claim_at = |held: &Claimed, now| claim(held, &active(), net(49_80), day, now).unwrap();
    let Claim::New { payout, claimed, posting } = claim_at(&nothing, at(48)) else { panic!("new") };
    let Claim::New { payout: again, .. } = claim_at(&nothing, at(49)) else { panic!("new") };
    assert_eq!((payout.id.as_str(), &payout.id), ("pyo_0000000120170103", &again.id));
    assert_eq!(shown(&posting), "payable:mer_00000001 49.80, payouts_in_transit -49.80");
    assert_eq!(claimed, Claimed { merchant: merchant(1), through: day });
    // The run that comes second finds the range claimed.
    assert_eq!(claim_at(&claimed, at(49)), Claim::Nothing { balance: eur(49_80) });
}

#[test]
fn a12_4_a_refund_after_a_payout_nets_with_the_next_period() {
    // Monday 49.80 are earned and paid out on Wednesday. Thursday a bowl goes back: −9.00 + 1.35 = −7.65.
    // That is no payout but a debt. On the next Monday 27.32 are earned: 27.32 − 7.65 = 19.67 go out, and
    // both entries are claimed.
    let mut entries = vec![entry(EntryKind::Earning, 52_50, 5_18, 7_88, at(0))];
    let nothing = Claimed::nothing(merchant(1));
    let Claim::New { claimed, payout, .. } = claim_of(&nothing, &entries, date(2017, 1, 3), at(48)) else {
        panic!("the earning")
    };
    assert_eq!(payout.amount, eur(49_80));
    entries.push(entry(EntryKind::Refund, -9_00, 0, -1_35, at(72)));
    let due = claim_of(&claimed, &entries, date(2017, 1, 6), at(120));
    assert_eq!(due, Claim::Nothing { balance: eur(-7_65) });
    entries.push(entry(EntryKind::Earning, 30_00, 1_82, 4_50, at(168)));
    let Claim::New { payout, .. } = claim_of(&claimed, &entries, date(2017, 1, 10), at(216)) else {
        panic!("the rest")
    };
    assert_eq!((payout.amount, payout.totals.entries, payout.totals.orders), (eur(19_67), 2, 1));
    assert_eq!((payout.after, payout.through), (date(2017, 1, 3), date(2017, 1, 10)));
}

#[test]
fn a12_5_payout_failed_after_success_reopens_the_debt() {
    let payout = walk(created(), &[sent(), Told::Paid]);
    let Ok(Decision::New(fact)) = decide(&payout, failed(), at(60)) else { panic!("a failure") };
    assert!(matches!(fact, Fact::Failed { after_success: true, .. }));
    // The money is back in cash and the marketplace owes it again.
    assert_eq!(shown(&payout.posting(&fact).unwrap()), "cash 49.80, payable:mer_00000001 -49.80");
    let back = payout.returned(at(60));
    assert_eq!((back.amount, back.kind), (eur(49_80), EntryKind::PayoutReturned));
    assert_eq!(back.cause, payout.id.as_str());
    assert_eq!(back.payable_day, date(2017, 1, 6)); // committed on the 5th at 00:00
    let held = Claimed { merchant: merchant(1), through: payout.through };
    let Claim::New { payout: next, .. } = claim_of(&held, &[back], date(2017, 1, 6), at(120)) else {
        panic!("the debt is claimed again")
    };
    assert_eq!((next.amount, next.totals.orders), (eur(49_80), 0));
    assert_ne!(next.id, payout.id);
}

/// A run puts the file before it commits that it did: what is not sent by the books may be at the bank.
#[test]
fn a12_3_a_failure_that_comes_before_the_payout_is_sent_opens_no_debt() {
    assert_eq!(decide(&created(), failed(), at(60)), Err(Refused::NotSent));
    let sent = walk(created(), &[sent()]);
    assert!(matches!(decide(&sent, failed(), at(60)), Ok(Decision::New(Fact::Failed { .. }))));
}

#[test]
fn a12_6_a_payout_leaves_nothing_in_transit_whatever_the_bank_says() {
    let lives: [&[Told]; 5] = [
        &[sent(), Told::Paid],
        &[failed(), sent(), failed()],
        &[sent(), failed()],
        &[sent(), Told::Paid, failed()],
        &[sent(), sent(), Told::Paid, Told::Paid, failed(), failed(), Told::Paid],
    ];
    for life in lives {
        let mut payout = created();
        let mut books = BTreeMap::from([(Account::PayoutsInTransit, -49_80), (Account::Cash, 0)]);
        for told in life {
            if let Ok(Decision::New(fact)) = decide(&payout, told.clone(), at(60)) {
                for (account, amount) in payout.posting(&fact).unwrap().entries() {
                    *books.entry(account.clone()).or_default() += amount.minor;
                }
                payout = payout.apply(&fact);
            }
        }
        let owed = -books.get(&Account::Payable(merchant(1))).copied().unwrap_or_default();
        let (cash, owed_again) =
            if matches!(payout.stage, Stage::Paid { .. }) { (-49_80, 0) } else { (0, 49_80) };
        assert_eq!((books[&Account::PayoutsInTransit], books[&Account::Cash]), (0, cash), "{life:?}");
        assert_eq!(owed, owed_again, "{life:?}");
    }
}

#[test]
fn a_day_is_claimed_from_an_hour_after_its_end() {
    let cases = [
        ("2017-01-03T00:00:00Z", date(2017, 1, 1)),
        ("2017-01-03T00:59:59.999Z", date(2017, 1, 1)),
        ("2017-01-03T01:00:00Z", date(2017, 1, 2)),
        ("2017-01-03T23:59:59Z", date(2017, 1, 2)),
        ("2017-03-01T01:00:00Z", date(2017, 2, 28)),
    ];
    for (now, through) in cases {
        assert_eq!(claimable_through(id(now)), through, "{now}");
    }
}

#[test]
fn an_earning_waits_for_its_hold_and_for_the_day_after_its_commit() {
    let cases = [
        ("2017-01-02T23:59:59Z", 14, "2017-01-02T23:59:59Z", date(2017, 1, 16)),
        ("2017-01-02T12:00:00Z", 0, "2017-01-02T12:00:01Z", date(2017, 1, 3)),
        // A delivery that is told three weeks late cannot enter a range that is paid already.
        ("2017-01-02T12:00:00Z", 14, "2017-01-25T08:00:00Z", date(2017, 1, 26)),
        ("2016-02-20T12:00:00Z", 9, "2016-02-20T12:00:00Z", date(2016, 2, 29)),
    ];
    for (delivered, hold, commit, want) in cases {
        assert_eq!(payable_day(id(delivered), hold, id(commit)), want, "{delivered} {hold} {commit}");
    }
}

#[test]
fn month_day_31_falls_on_the_last_day_and_returns_to_31() {
    let schedule = Schedule::Month { day: 31 };
    let mut run = date(2015, 12, 31);
    for (month, day) in [(1, 31), (2, 29), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31)] {
        run = schedule.run_after(run);
        assert_eq!(run, date(2016, month, day));
    }
    assert_eq!(schedule.run_after(date(2017, 1, 31)), date(2017, 2, 28));
    // Two days that fall together run once.
    let both = Schedule::Days { days: vec![30, 15, 31] };
    assert_eq!(both.run_after(date(2017, 2, 15)), date(2017, 2, 28));
    assert_eq!(both.run_after(date(2017, 2, 28)), date(2017, 3, 15));
    assert_eq!(both.run_after(date(2017, 3, 15)), date(2017, 3, 30));
    assert_eq!(both.run_after(date(2017, 3, 30)), date(2017, 3, 31));
}

#[test]
fn a_schedule_without_a_next_run_is_refused() {
    let cases = [
        (Schedule::Week { weekday: 0 }, BadSchedule::Weekday(0)),
        (Schedule::Week { weekday: 8 }, BadSchedule::Weekday(8)),
        (Schedule::Month { day: 0 }, BadSchedule::Day(0)),
        (Schedule::Month { day: 32 }, BadSchedule::Day(32)),
        (Schedule::Days { days: vec![] }, BadSchedule::NoDay),
        (Schedule::Days { days: vec![1; 32] }, BadSchedule::DayCount(32)),
        (Schedule::Days { days: vec![1, -1] }, BadSchedule::Day(-1)),
    ];
    for (schedule, bad) in cases {
        assert_eq!(schedule.check(), Err(bad));
    }
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::Day {}),
        (1_i8..=7).prop_map(|weekday| Schedule::Week { weekday }),
        (1_i8..=31).prop_map(|day| Schedule::Month { day }),
        prop::collection::vec(1_i8..=31, 1..5).prop_map(|days| Schedule::Days { days }),
    ]
}

fn any_date() -> impl Strategy<Value = Date> {
    (0_i64..60_000).prop_map(|days| date(1970, 1, 1).checked_add(days.days()).unwrap())
}

fn any_moment() -> impl Strategy<Value = Timestamp> {
    (0_i64..5_000_000_000).prop_map(|second| Timestamp::from_second(second).unwrap())
}

/// What happens in the course of a merchant's account.
#[derive(Debug, Clone)]
enum Event {
    Earn { minor: i64, hold: u16, late: i64 },
    Refund { minor: i64 },
    Run,
    Fail { after_success: bool },
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_i64..10_000, 0_u16..20, 0_i64..500)
            .prop_map(|(minor, hold, late)| Event::Earn { minor, hold, late }),
        2 => (1_i64..10_000).prop_map(|minor| Event::Refund { minor }),
        4 => Just(Event::Run),
        1 => any::<bool>().prop_map(|after_success| Event::Fail { after_success }),
    ]
}

/// Two units for 10.01 EUR in all, brought for 5.01 and charged 1.00, of a merchant who sells in dollars at 2 EUR each.
fn abroad() -> MerchantOrder {
    let rate = FxRate {
        base: id("USD"),
        quote: id("EUR"),
        rate: 2.into(),
        as_of: date(2017, 1, 2),
        margin_percent: 0.into(),
        source: None,
    };
    let mut order = order::tests::placed(vec![order::tests::line(1, 1, 2, 5_00, 0)], 0, &[]).secured();
    order.rates = vec![(merchant(1), rate)];
    let mut part = order::split(&order).unwrap().remove(0);
    (part.lines[0].items, part.lines[0].fees, part.delivery) = (eur(10_01), eur(1_00), eur(5_01));
    let ship =
        merchant_order::ship(&part, id("dhl"), id("trk-1"), vec![], Shelves::default(), at(24)).unwrap();
    let Decision::New(fact) = ship else { panic!("it ships") };
    let part = part.apply(&fact);
    let parcel = part.shipments[0].id.clone();
    part.apply(&merchant_order::Fact::Delivered { shipment: parcel, at: at(48) })
}

fn told(postings: &[Posting]) -> Vec<String> {
    let entry = |(account, amount): (&Account, Money)| format!("{account} {amount}");
    postings.iter().map(|one| one.entries().map(entry).collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn a_merchant_of_another_currency_earns_at_the_frozen_rate_and_gives_back_at_it() {
    let part = abroad();
    let (entry, postings) = earning(&part, 0, at(48)).unwrap().unwrap();
    // 10.01, 5.01 and 1.00 EUR are 5.01, 2.51 and 0.50 USD, each half-up: 7.02. The 14.02 EUR in one piece are 7.01.
    let usd = |minor| Money::new(minor, id("USD"));
    let amounts = (entry.items, entry.delivery, entry.fees, entry.amount);
    assert_eq!(amounts, (usd(5_01), usd(2_51), usd(50), usd(7_02)));
    assert_eq!(
        told(&postings),
        [
            "unearned 15.02 EUR, fx -14.02 EUR, commission -1.00 EUR",
            "fx 7.01 USD, fx_rounding 0.01 USD, payable:mer_00000001 -7.02 USD",
        ]
    );
    // One unit goes back: 5.01 EUR and 0.50 of its fees. What is left, 5.00, 5.01 and 0.50, is 2.50, 2.51 and 0.25.
    let back = |part: &MerchantOrder, delivery| {
        let lines = vec![Units { line: 1, quantity: 1 }];
        let fact = merchant_order::refund(
            part,
            RefundLines { lines, delivery, to: To::Original, reason: id("broken") },
        )
        .unwrap();
        let after = part.clone().apply(&fact);
        let (entry, postings) = claw_back((part, &after), &fact, at(72)).unwrap().unwrap();
        (after, entry, told(&postings))
    };
    let (part, first, postings) = back(&part, false);
    assert_eq!((first.items, first.fees, first.amount), (usd(-2_51), usd(-25), usd(-2_26)));
    assert_eq!(postings, ["fx -2.26 USD, payable:mer_00000001 2.26 USD"]);
    // The rest, with the delivery: nothing is left of it.
    let (_, second, postings) = back(&part, true);
    assert_eq!((second.items, second.delivery, second.amount), (usd(-2_50), usd(-2_51), usd(-4_76)));
    assert_eq!(postings, ["fx -4.76 USD, payable:mer_00000001 4.76 USD"]);
    assert_eq!(entry.amount.plus(first.amount).unwrap().plus(second.amount).unwrap(), usd(0));
}

#[test]
fn what_the_marketplace_bears_of_a_discount_is_the_merchants_all_the_same() {
    let mut part = MerchantOrder { rate: None, ..abroad() };
    part.lines[0].supported = Some(eur(2_00));
    part.delivery_supported = Some(eur(50));
    let (entry, postings) = earning(&part, 0, at(48)).unwrap().unwrap();
    // 10.01 + 5.01 of the customer, 2.50 of the marketplace, less 1.00.
    assert_eq!((entry.amount, entry.supported), (eur(16_52), Some(eur(2_50))));
    assert_eq!(
        told(&postings),
        ["unearned 15.02 EUR, discounts 2.50 EUR, payable:mer_00000001 -16.52 EUR, commission -1.00 EUR"]
    );
}

proptest! {
    #[test]
    fn the_next_run_is_the_first_run_day_after(schedule in any_schedule(), day in any_date()) {
        prop_assert_eq!(schedule.check(), Ok(()));
        let run = schedule.run_after(day);
        prop_assert!(run > day);
        prop_assert!(schedule.runs_on(run));
        let mut between = day.series(1.day()).skip(1).take_while(|other| *other < run);
        prop_assert!(!between.any(|other| schedule.runs_on(other)));
        prop_assert!(run <= day.checked_add(31.days()).unwrap());
    }

    #[test]
    fn a_month_has_one_run_a_week_too(day in 1_i8..=31, weekday in 1_i8..=7, start in any_date()) {
        let month = Schedule::Month { day };
        let first = start.first_of_month();
        let days = i64::from(first.days_in_month());
        let in_month = (0..days).map(|n| first.checked_add(n.days()).unwrap());
        prop_assert_eq!(in_month.filter(|date| month.runs_on(*date)).count(), 1);
        let week = Schedule::Week { weekday };
        let run = week.run_after(start);
        prop_assert_eq!(week.run_after(run), run.checked_add(7.days()).unwrap());
    }

    #[test]
    fn an_entry_is_payable_after_its_commit_and_its_hold(
        delivered in any_moment(), hold in 0_u16..400, commit in any_moment(),
    ) {
        let payable = payable_day(delivered, hold, commit);
        prop_assert!(payable > day(commit));
        prop_assert!(payable >= day(delivered).checked_add(i64::from(hold).days()).unwrap());
    }

    /// Decided at one moment, an entry may reach the table a day later and still lies in no claimed range.
    #[test]
    fn no_entry_appears_in_a_range_that_may_be_claimed(
        delivered in any_moment(), hold in 0_u16..400, commit in any_moment(), delay in 0_i64..25 * 3600,
    ) {
        let later = commit.checked_add(delay.seconds()).unwrap();
        prop_assert!(claimable_through(later) < payable_day(delivered, hold, commit));
        prop_assert!(claimable_through(later) < created().returned(commit).payable_day);
    }

    /// Every entry is in one payout at most, and what was earned is what went out plus what is open.
    #[test]
    fn a12_1_what_is_earned_is_paid_out_or_open(
        events in prop::collection::vec((any_event(), 0_i64..40), 0..60),
    ) {
        let (mut now, mut claimed) = (at(0), Claimed::nothing(merchant(1)));
        let (mut entries, mut payouts): (Vec<MerchantEntry>, Vec<Payout>) = (Vec::new(), Vec::new());
        for (event, hours) in events {
            now = now.checked_add(hours.hours()).unwrap();
            let fresh = match event {
                Event::Earn { minor, hold, late } => {
                    let delivered = now.checked_sub(late.hours()).unwrap();
                    let earned = entry(EntryKind::Earning, minor, 0, 0, now);
                    Some(MerchantEntry { payable_day: payable_day(delivered, hold, now), ..earned })
                }
                Event::Refund { minor } => Some(entry(EntryKind::Refund, -minor, 0, 0, now)),
                Event::Run => {
                    let claim = claim_of(&claimed, &entries, claimable_through(now), now);
                    if let Claim::New { payout, claimed: next, .. } = claim {
                        prop_assert!(payout.amount.minor > 0 && next.through > claimed.through);
                        prop_assert!(payouts.iter().all(|other| other.id != payout.id));
                        payouts.push(*payout);
                        claimed = next;
                    }
                    None
                }
                Event::Fail { after_success } => {
                    let last = payouts.iter_mut().rfind(|payout| payout.stage == Stage::Created);
                    last.map(|payout| {
                        let before: &[Told] = if after_success { &[sent(), Told::Paid] } else { &[sent()] };
                        *payout = walk(walk(payout.clone(), before), &[failed()]);
                        payout.returned(now)
                    })
                }
            };
            prop_assert!(fresh.iter().all(|entry| entry.payable_day > claimed.through), "{fresh:?}");
            entries.extend(fresh);
            let open = totals(entries.iter().filter(|entry| entry.payable_day > claimed.through)).net.minor;
            let of = |kind| entries.iter().filter(move |entry| entry.kind == kind);
            let earned = totals(of(EntryKind::Earning).chain(of(EntryKind::Refund))).net.minor;
            let out = payouts.iter().filter(|payout| payout.stage == Stage::Created);
            prop_assert_eq!(earned, out.map(|payout| payout.amount.minor).sum::<i64>() + open);
        }
    }
}
