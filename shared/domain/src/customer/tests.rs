use super::*;
use crate::address::{RawAddress, check};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_772_442_000 + minute * 60).unwrap()
}

fn customer() -> Customer {
    Customer::registered(CustomerId::from_bits(1), at(0))
}

fn new(decision: Decision<Fact>) -> Fact {
    match decision {
        Decision::New(fact) => fact,
        Decision::Already => panic!("nothing is new"),
    }
}

fn home(line: &str) -> Address {
    let raw = RawAddress {
        country: "DE".to_owned(),
        name: "Ines Groß".to_owned(),
        lines: vec![line.to_owned()],
        city: Some("Berlin".to_owned()),
        postal_code: Some("10969".to_owned()),
        ..RawAddress::default()
    };
    check(&raw).unwrap().address
}

#[test]
fn a16_1_a_consent_keeps_the_moment_at_which_it_was_said() {
    let (email, phone) = (Purpose::MarketingEmail, Purpose::MarketingPhone);
    let quiet = customer();
    assert!(!quiet.agrees(email), "who has said nothing has not agreed");
    let yes = quiet.clone().apply(&new(consent(&quiet, &[(email, true), (phone, false)], at(1))));
    assert!(yes.agrees(email) && !yes.agrees(phone));
    // The same again, an hour later, moves no moment.
    assert_eq!(consent(&yes, &[(email, true), (phone, false)], at(61)), Decision::Already);
    let no = yes.clone().apply(&new(consent(&yes, &[(email, false), (phone, false)], at(2))));
    let story: Vec<_> = no.consents.iter().map(|one| (one.purpose, one.given, one.at)).collect();
    assert_eq!(story, [(email, true, at(1)), (phone, false, at(1)), (email, false, at(2))]);
    assert!(!no.agrees(email));
}

#[test]
fn a16_1_a_stop_by_a_link_is_a_no_until_there_is_a_yes_since() {
    let email = Purpose::MarketingEmail;
    let quiet = customer();
    assert_eq!(quiet.clone().stopped(at(9)), quiet, "who has said nothing takes nothing back");
    let yes = quiet.clone().apply(&new(consent(&quiet, &[(email, true)], at(1))));
    let stopped = yes.clone().stopped(at(2));
    let said = |of: &Customer| of.said(email).map(|said| (said.given, said.at));
    assert_eq!(said(&stopped), Some((false, at(2))));
    assert_eq!(stopped.clone().stopped(at(2)), stopped);
    let again = stopped.clone().apply(&new(consent(&stopped, &[(email, true)], at(3))));
    assert_eq!(said(&again.clone().stopped(at(2))), Some((true, at(3))), "a yes of later stands");
    assert_eq!(said(&again.stopped(at(3))), Some((false, at(3))), "of two at one moment the no");
}

#[test]
fn of_many_changes_of_mind_the_last_ones_are_kept_of_each_purpose() {
    let mut fickle = customer();
    let first = consent(&fickle, &[(Purpose::Personalization, true)], at(0));
    fickle = fickle.apply(&new(first));
    for minute in 1..=25 {
        let said = [(Purpose::MarketingEmail, minute % 2 == 1)];
        let fact = new(consent(&fickle, &said, at(minute)));
        fickle = fickle.apply(&fact);
    }
    let of = |purpose| fickle.consents.iter().filter(move |one| one.purpose == purpose);
    let kept: Vec<_> = of(Purpose::MarketingEmail).map(|one| one.at).collect();
    assert_eq!(kept, (16..=25).map(at).collect::<Vec<_>>());
    assert_eq!(of(Purpose::Personalization).count(), 1);
    assert!(fickle.agrees(Purpose::MarketingEmail));
}

#[test]
fn who_is_erased_agrees_to_nothing_and_may_come_back_with_nothing_of_before() {
    let known = customer();
    let known = known.clone().apply(&new(consent(&known, &[(Purpose::MarketingEmail, true)], at(1))));
    let gone = known.clone().apply(&new(erase(Some(&known), true, at(2))));
    assert_eq!(gone, Customer { stage: Stage::Erased { since: at(2) }, consents: Vec::new(), ..known });
    assert!(!gone.agrees(Purpose::MarketingEmail));
    assert_eq!(erase(Some(&gone), false, at(3)), Decision::Already);
    // Something was ordered since: there is a key again, and it goes too.
    assert_eq!(erase(Some(&gone), true, at(3)), Decision::New(Fact::Erased { at: at(3) }));
    // Who never had an account can be forgotten as well.
    assert_eq!(erase(None, true, at(3)), Decision::New(Fact::Erased { at: at(3) }));
    let back = gone.apply(&Fact::Registered { at: at(4) });
    assert_eq!(back, Customer::registered(CustomerId::from_bits(1), at(4)));
}

#[test]
fn an_address_book_has_one_default_and_numbers_that_never_come_again() {
    let book = AddressBook::default();
    let book = book.add(home("Lindenweg 5"), false).unwrap();
    assert_eq!(book.default, Some(1), "the first one");
    let book = book.add(home("Am Markt 1"), true).unwrap().add(home("Hafen 2"), false).unwrap();
    assert_eq!((book.default, book.last), (Some(2), 3));
    // Sent twice it is there once.
    assert_eq!(book.add(home("Hafen 2"), false).unwrap(), book);
    assert_eq!(book.add(home("Hafen 2"), true).unwrap().default, Some(3));
    let book = book.remove(2).unwrap();
    assert_eq!(book.default, Some(1), "the oldest that is left");
    assert_eq!(book.remove(2), Err(Refused::NoAddress));
    let book = book.add(home("Am Markt 1"), false).unwrap();
    let numbers: Vec<u16> = book.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 3, 4]);
    assert_eq!(book.set(3, home("Hafen 3")).unwrap().entries[1].address, home("Hafen 3"));
    assert_eq!(book.set(2, home("Hafen 3")), Err(Refused::NoAddress));
    assert_eq!(book.prefer(4).unwrap().default, Some(4));
    assert_eq!(book.prefer(9), Err(Refused::NoAddress));
    let empty = [1, 3, 4].iter().fold(book, |book, number| book.remove(*number).unwrap());
    assert_eq!((empty.entries.len(), empty.default, empty.last), (0, None, 4));
}

#[test]
fn the_twenty_first_address_is_refused_and_one_that_is_there_is_not_a_twenty_first() {
    let number = |n: usize| home(&format!("Lindenweg {n}"));
    let book = (1..=20).fold(AddressBook::default(), |book, n| book.add(number(n), false).unwrap());
    assert_eq!(book.add(number(21), false), Err(Refused::AddressCount));
    assert_eq!(book.add(number(20), false).unwrap(), book);
    assert!(book.remove(7).unwrap().add(number(21), false).is_ok());
}

/// An address as it lies in what is sealed.
const HOME: &str = concat!(
    r#"{"country":"DE","name":"Ines Groß","lines":["Lindenweg 5"],"city":"Berlin","#,
    r#""postal_code":"10969"}"#,
);

#[test]
fn what_is_sealed_with_an_order_reads_for_ever() {
    let contact = r#"{"email":"ines@post.example","phone":"+4930123456"}"#;
    let text = format!(r#"{{"contact":{contact},"address":{HOME}}}"#);
    let person: Person = serde_json::from_str(&text).unwrap();
    assert_eq!(person.address, Some(home("Lindenweg 5")));
    assert_eq!(serde_json::to_string(&person).unwrap(), text);
    let nobody = r#"{"contact":null,"address":null}"#;
    let person: Person = serde_json::from_str(nobody).unwrap();
    assert_eq!(serde_json::to_string(&person).unwrap(), nobody);
}

#[test]
fn what_is_sealed_of_an_account_reads_for_ever() {
    let book = format!(r#"{{"entries":[{{"number":1,"address":{HOME}}}],"last":1,"default":1}}"#);
    let who = r#""name":"Ines Groß","email":"ines@post.example","locale":"de-DE""#;
    let text = format!(r#"{{{who},"book":{book}}}"#);
    let profile: Profile = serde_json::from_str(&text).unwrap();
    assert_eq!(profile.book, AddressBook::default().add(home("Lindenweg 5"), false).unwrap());
    assert_eq!(serde_json::to_string(&profile).unwrap(), text);
}
