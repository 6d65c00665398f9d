//! What a subscriber will want, day by day: drawn from a seed, the same every time, before anything has happened.

use super::plans::{Plans, Which};
use domain::id::derive;

/// What somebody wants on a day. Whether it makes sense is looked at when the day has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Subscribe,
    Upgrade,
    /// At the end of the period.
    Downgrade,
    Annual,
    /// So many hundredths of what the plan includes.
    Quantity(u32),
    /// For so many days; until it is resumed, if not said.
    Pause(Option<u16>),
    Resume,
    CancelNow,
    CancelLater,
    Uncancel,
    /// Something becomes of the card: the sandbox's token says what.
    Card(&'static str),
}

impl Wish {
    /// Its word in the figures.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Subscribe => "subscribed",
            Self::Upgrade => "upgraded",
            Self::Downgrade => "downgraded",
            Self::Annual => "went annual",
            Self::Quantity(_) => "changed quantity",
            Self::Pause(_) => "paused",
            Self::Resume => "resumed",
            Self::CancelNow => "canceled at once",
            Self::CancelLater => "canceled for the period's end",
            Self::Uncancel => "stayed after all",
            Self::Card(_) => "changed card",
        }
    }
}

/// A card that nothing is wrong with.
pub(super) const GOOD: &str = "tok_approved";
/// So long a bad card is one: a renewal by the month meets it.
const BAD_DAYS: u32 = 31;

/// What goes wrong with cards while nobody is there, by how many of 100. Of the first three no payment ever comes.
const BAD: [(&str, u32); 7] = [
    ("tok_away_declined_stolen_card", 16),
    ("tok_away_declined_expired_card", 14),
    ("tok_away_fails_99_insufficient_funds", 10),
    ("tok_away_fails_1_insufficient_funds", 24),
    ("tok_away_fails_2_insufficient_funds", 16),
    ("tok_away_fails_1_processing_error", 12),
    ("tok_timeout_approved", 8),
];
const HOPELESS: usize = 3;

/// Whether another card is needed for money to come.
pub(super) fn hopeless(token: &str) -> bool {
    BAD.iter().take(HOPELESS).any(|(bad, _)| *bad == token)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) plan: Which,
    pub(super) quantity: u32,
    /// So many days after a payment has failed somebody brings a new card; never, if none.
    pub(super) mends: Option<u16>,
    /// By day, counted from the first.
    pub(super) wishes: Vec<(u32, Wish)>,
}

/// One number per question, from the seed.
#[derive(Debug, Clone, Copy)]
struct Lots {
    seed: u64,
    subscriber: usize,
}

impl Lots {
    /// Less than `below`.
    fn draw(self, question: &str, below: u32) -> u32 {
        let drawn = derive(&["life", &self.seed.to_string(), &self.subscriber.to_string(), question]);
        u32::try_from(drawn.rem_euclid(u128::from(below.max(1)))).unwrap_or_default()
    }

    /// Yes, of 100 so often.
    fn often(self, question: &str, of_hundred: u32) -> bool {
        self.draw(question, 100) < of_hundred
    }
}

impl Life {
    pub(super) fn of(seed: u64, subscriber: usize, days: u32, plans: &Plans) -> Self {
        let lots = Lots { seed, subscriber };
        let tier = match lots.draw("tier", 100) {
            0..55 => 0,
            55..88 => 1,
            _ => 2,
        };
        let plan = Which { tier, annual: lots.often("annual", 15) };
        let quantity = lots.draw("quantity", plans.most(plan)).saturating_add(1);
        // Some are there from the opening on, the others come one by one.
        let first =
            if lots.often("early", 25) { lots.draw("day", days.min(14)) } else { lots.draw("day", days) };
        let mut wishes = vec![(first, Wish::Subscribe)];
        if lots.often("card at first", 6) {
            let token = lots.bad("first card");
            wishes.extend(lots.bad_card(token, first));
        }
        if lots.often("leaves trial", 12) {
            let day = first + 3 + lots.draw("leaves trial on", 9);
            wishes.extend(lots.leaves(day, "trial", 25));
        } else {
            wishes.extend(lots.later(first + 16, days));
        }
        let mends = lots.often("mends", 60);
        let mends = mends.then(|| u16::try_from(lots.draw("mends after", 14)).unwrap_or_default() + 1);
        wishes.retain(|(day, _)| *day < days);
        wishes.sort_by_key(|(day, _)| *day);
        Self { plan, quantity, mends, wishes }
    }
}

impl Lots {
    /// What comes once the trial is over.
    fn later(self, from: u32, days: u32) -> Vec<(u32, Wish)> {
        let day = |question: &str| from + self.draw(question, days.saturating_sub(from));
        let mut wishes = Vec::new();
        let hundredths = self.draw("quantity later", 101);
        for (wish, of_hundred) in [
            (Wish::Upgrade, 20),
            (Wish::Downgrade, 9),
            (Wish::Annual, 6),
            (Wish::Quantity(hundredths), 18),
            (Wish::CancelNow, 9),
        ] {
            if self.often(wish.word(), of_hundred) {
                wishes.push((day(&format!("{} on", wish.word())), wish));
            }
        }
        if self.often("pauses", 8) {
            let (day, long) = (day("pauses on"), 10 + self.draw("pauses for", 40));
            let said = self.often("says how long", 50);
            wishes.push((day, Wish::Pause(u16::try_from(long).ok().filter(|_| said))));
            wishes.extend((!said).then_some((day + long, Wish::Resume)));
        }
        if self.often("cancels", 13) {
            wishes.extend(self.leaves(day("cancels on"), "later", 30));
        }
        if self.often("card goes bad", 22) {
            wishes.extend(self.bad_card(self.bad("bad card"), day("card goes bad on")));
        }
        wishes
    }

    /// Ends with the period; some think better of it.
    fn leaves(self, day: u32, when: &str, stay_of_hundred: u32) -> Vec<(u32, Wish)> {
        let stays = self.often(&format!("{when}: stays"), stay_of_hundred);
        let uncancels = stays.then_some((day + 2, Wish::Uncancel));
        [(day, Wish::CancelLater)].into_iter().chain(uncancels).collect()
    }

    fn bad(self, question: &str) -> &'static str {
        let mut left = self.draw(question, 100);
        for (token, of_hundred) in BAD {
            match left.checked_sub(of_hundred) {
                Some(rest) => left = rest,
                None => return token,
            }
        }
        GOOD
    }

    /// The card turns bad, and good again where that needs nobody.
    fn bad_card(self, token: &'static str, day: u32) -> Vec<(u32, Wish)> {
        let good = (!hopeless(token)).then_some((day + BAD_DAYS, Wish::Card(GOOD)));
        [(day, Wish::Card(token))].into_iter().chain(good).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_the_same_every_time_and_stays_within_the_year() {
        let plans = Plans::read().unwrap();
        for subscriber in 0..200 {
            let life = Life::of(1, subscriber, 365, &plans);
            assert_eq!(life, Life::of(1, subscriber, 365, &plans));
            assert_eq!(life.wishes.first().map(|(_, wish)| *wish), Some(Wish::Subscribe));
            assert!(
                life.wishes.is_sorted_by_key(|(day, _)| *day)
                    && life.wishes.iter().all(|(day, _)| *day < 365)
            );
            assert!((1..=plans.most(life.plan)).contains(&life.quantity));
        }
        assert_ne!(Life::of(1, 0, 365, &plans), Life::of(2, 0, 365, &plans));
    }

    #[test]
    fn what_goes_wrong_with_cards_adds_up() {
        assert_eq!(BAD.iter().map(|(_, of_hundred)| of_hundred).sum::<u32>(), 100);
        assert!(
            hopeless("tok_away_declined_stolen_card") && !hopeless("tok_timeout_approved") && !hopeless(GOOD)
        );
    }
}
