//! The words of the gateway port: what is asked of those who move customers' money, and what they answer.
//!
//! An adapter turns a [`Request`] into its gateway's call under the attempt's id as idempotency key, and whatever
//! comes back, by response, webhook or question, into an [`Outcome`]. It decides nothing.
//!
//! Invariant: card data never comes in: a [`GatewayToken`] is made by the gateway in the customer's browser, and what
//! looks like a card number is refused without being shown. Absent on purpose: amounts of the gateway's own fees (they
//! come with its settlement) and any state (that is [`crate::payment`]).

use crate::id::{AttemptId, OrderId};
use crate::money::Money;
use crate::text::{WebAddress, Word};
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

/// How a customer pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Method {
    Card,
    Wallet,
    /// Buy now, pay later: the lender pays us.
    Bnpl,
    /// A gift voucher: money that was paid before. A promotion's coupon is a discount and no payment.
    Voucher,
    BankTransfer,
    StoreCredit,
}

impl Method {
    /// Value that we keep for the customer; it is taken before other people's money.
    pub fn is_stored_value(self) -> bool {
        match self {
            Self::Voucher | Self::StoreCredit => true,
            Self::Card | Self::Wallet | Self::Bnpl | Self::BankTransfer => false,
        }
    }
}

impl Method {
    /// Whether it can be kept, and charged while nobody is there.
    pub fn renews(self) -> bool {
        match self {
            Self::Card | Self::Wallet | Self::Bnpl => true,
            Self::Voucher | Self::BankTransfer | Self::StoreCredit => false,
        }
    }
}

/// What a gateway can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Several captures against one authorization. Without it each merchant order gets a payment of its own.
    pub multi_capture: bool,
    /// The token serves for another authorization when the first one ends.
    pub renewal: bool,
}

/// The gateway's name for a customer's means of payment. No card number can be one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Given", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("minLength" = 4, "maxLength" = 255, "pattern" = "^[A-Za-z0-9_.:-]+$"))
)]
pub struct GatewayToken(String);

/// Why a text is no token. It never shows the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    #[error("this looks like a card number: send the token that the gateway made of it, never the number")]
    CardNumber,
    #[error("a token is a text of 4 to 255 of [A-Za-z0-9_.:-]")]
    Shape,
}

/// A number in the place of a token would be shown by the reader's own complaint, so it is read and forgotten.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    Text(String),
    Other(IgnoredAny),
}

impl GatewayToken {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for GatewayToken {
    type Err = NotAToken;
    fn from_str(text: &str) -> Result<Self, NotAToken> {
        // One UUID in a thousand or so ends in digits that look like a card number.
        let is_uuid = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
        let is_uuid = is_uuid && text.contains(|c: char| c.is_ascii_alphabetic());
        if !is_uuid && looks_like_card_number(text) {
            return Err(NotAToken::CardNumber);
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-');
        if !(4..=255).contains(&text.len()) || !text.bytes().all(plain) {
            return Err(NotAToken::Shape);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<Given> for GatewayToken {
    type Error = NotAToken;
    fn try_from(given: Given) -> Result<Self, NotAToken> {
        match given {
            Given::Text(text) => text.parse(),
            Given::Other(IgnoredAny) => Err(NotAToken::Shape),
        }
    }
}

impl From<GatewayToken> for String {
    fn from(token: GatewayToken) -> Self {
        token.0
    }
}

/// The last four characters, and those only of a long one.
impl std::fmt::Debug for GatewayToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = if self.0.len() < 12 { "" } else { self.0.get(self.0.len() - 4..).unwrap_or_default() };
        write!(f, "GatewayToken(…{shown})")
    }
}

/// Whether 12 to 19 digits with a valid check digit (ISO/IEC 7812-1, Luhn) stand in the text, whatever but letters
/// stands between their groups. The edge may ask it of anything before it is kept or shown.
pub fn looks_like_card_number(text: &str) -> bool {
    // Digits of other scripts and of full width are digits too.
    let digit = |c: char| match u32::from(c) {
        full @ 0xFF10..=0xFF19 => Some(full - 0xFF10),
        arabic @ 0x0660..=0x0669 => Some(arabic - 0x0660),
        _ => c.to_digit(10),
    };
    text.split(|c: char| c.is_alphabetic()).any(|run| {
        let groups = run.split(|c| digit(c).is_none()).filter(|group| !group.is_empty());
        let groups: Vec<Vec<u32>> = groups.map(|group| group.chars().filter_map(digit).collect()).collect();
        (0..groups.len()).any(|first| {
            let mut digits = Vec::new();
            groups.iter().skip(first).any(|group| {
                digits.extend_from_slice(group);
                (12..=19).contains(&digits.len()) && is_luhn(&digits)
            })
        })
    })
}

fn is_luhn(digits: &[u32]) -> bool {
    let worth = |(place, digit): (usize, &u32)| match (place % 2, *digit) {
        (0, digit) => digit,
        (_, digit @ 0..=4) => digit * 2,
        (_, digit) => digit * 2 - 9,
    };
    digits.iter().rev().enumerate().map(worth).sum::<u32>() % 10 == 0
}

/// One call. `key` is the committed attempt: asking twice moves money once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Authorize {
        key: AttemptId,
        order: OrderId,
        method: Method,
        token: Option<GatewayToken>,
        amount: Money,
        /// Its customer is not there: the means of payment has been authorized before.
        off_session: bool,
        /// The money is taken along with it: an approval is [`Outcome::Captured`].
        capture: bool,
    },
    /// `last`: what is left of the authorization is released.
    Capture {
        key: AttemptId,
        authorization: Word,
        amount: Money,
        last: bool,
    },
    /// Releases what is left, or gives up what waits for the customer.
    Void {
        key: AttemptId,
        authorization: Word,
    },
    Refund {
        key: AttemptId,
        authorization: Word,
        amount: Money,
    },
    /// A refund that becomes store credit.
    Credit {
        key: AttemptId,
        order: OrderId,
        amount: Money,
    },
    /// What became of a call, under its own key? One that never arrived is [`Outcome::Declined`] with `not_received`.
    /// The question carries the call, because who is asked may keep nothing.
    Ask {
        reference: Option<Word>,
        about: Box<Request>,
        /// When the call was to be made.
        called: Timestamp,
    },
}

impl Request {
    /// The attempt that it is, or is about.
    pub fn key(&self) -> &AttemptId {
        match self {
            Self::Authorize { key, .. }
            | Self::Capture { key, .. }
            | Self::Void { key, .. }
            | Self::Refund { key, .. }
            | Self::Credit { key, .. } => key,
            Self::Ask { about, .. } => about.key(),
        }
    }
}

/// What is told of an attempt. May come twice, late and out of order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Outcome {
    /// No answer in time, or the gateway itself does not know.
    Unknown,
    /// The customer has to confirm, at the address.
    RequiresAction {
        reference: Word,
        url: WebAddress,
    },
    /// The money will come by itself: a bank transfer.
    Promised {
        reference: Word,
    },
    /// Done as asked. An authorization may end.
    Approved {
        reference: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Of an authorization: money was taken along with it. `amount` is all that was taken so far, captures of
    /// ours left out, so that a transfer in two halves is told as one half and then as the whole.
    Captured {
        reference: Word,
        amount: Money,
    },
    Declined {
        decline: Decline,
    },
    /// Of an authorization: it has lapsed, or was released at the gateway; what was captured stays.
    Lapsed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    /// The gateway's word.
    pub code: Word,
    pub class: Class,
}

/// What a decline means for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Class {
    /// The same means of payment may work later, or with corrected data.
    Soft,
    /// The same means of payment will not work: another one is needed.
    Hard,
    /// Not the customer's doing: the gateway or a bank behind it failed.
    Fault,
}

/// Codes by class, after the next steps in Stripe's table of decline codes (docs.stripe.com/declines/codes): hard
/// where the step is another card or the card's issuer because of the card itself; fault where it is to try the same
/// again; the rest, and codes unknown here, are soft. `not_received` and `given_up` are our own words.
const CODES: &[(Class, &[&str])] = &[
    (
        Class::Hard,
        &[
            "card_not_supported",
            "currency_not_supported",
            "do_not_try_again",
            "expired_card",
            "fraudulent",
            "incorrect_number",
            "invalid_account",
            "invalid_number",
            "lost_card",
            "merchant_blacklist",
            "new_account_information_available",
            "no_action_taken",
            "not_permitted",
            "pickup_card",
            "restricted_card",
            "revocation_of_all_authorizations",
            "revocation_of_authorization",
            "security_violation",
            "service_not_allowed",
            "stolen_card",
            "stop_payment_order",
            "testmode_decline",
            "token_missing",
            "transaction_not_allowed",
        ],
    ),
    (
        Class::Fault,
        &[
            "approve_with_id",
            "given_up",
            "issuer_not_available",
            "not_received",
            "processing_error",
            "reenter_transaction",
            "try_again_later",
        ],
    ),
];

impl Decline {
    /// The call never reached the gateway, as far as that knows.
    pub fn is_not_received(&self) -> bool {
        self.code.as_str() == "not_received"
    }

    /// A gateway's code with its class.
    pub fn of(code: Word) -> Self {
        let class = CODES.iter().find(|(_, codes)| codes.binary_search(&code.as_str()).is_ok());
        Self { class: class.map_or(Class::Soft, |(class, _)| *class), code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_looks_like_a_card_number_is_no_token_and_is_not_shown() {
        let cards = [
            "4242424242424242",
            "4242 4242 4242 4242",
            "4242-4242-4242-4242",
            "tok_4242424242424242",
            "card 4242.4242/4242_4242!",
            "4242 4242 4242 4242 12 27 123",
            "12/27 4242424242424242",
            "378282246310005",
            "3782 822463 10005",
            "30569309025904",
            "6304000000000000000",
            "４２４２４２４２４２４２４２４２",
            "4242\u{a0}4242\u{a0}4242\u{a0}4242",
        ];
        for card in cards {
            let refused = card.parse::<GatewayToken>().unwrap_err();
            assert_eq!(refused, NotAToken::CardNumber, "{card}");
            let json = serde_json::to_string(card).unwrap();
            let read = serde_json::from_str::<GatewayToken>(&json).unwrap_err();
            for said in [format!("{refused}"), format!("{refused:?}"), format!("{read}"), format!("{read:?}")]
            {
                assert!(!said.contains("4242") && !said.contains("3782"), "{said}");
            }
        }
    }

    #[test]
    fn a_number_in_the_place_of_a_token_is_not_shown_either() {
        for json in ["4242424242424242", "-4242424242424242", "[4242424242424242]", "4242424242424242424242"]
        {
            let said = format!("{:?}", serde_json::from_str::<GatewayToken>(json).unwrap_err());
            assert!(said.contains("a token is a text") && !said.contains("4242"), "{said}");
        }
    }

    #[test]
    fn a_token_of_a_gateway_is_taken_and_seldom_shown() {
        for text in [
            "tok_visa",
            "pm_1MtwBwLkdIwHu7ix28a3tqPa",
            "550e8400-e29b-41d4-a716-446655440001",
            "4242424242424241",
        ] {
            let token: GatewayToken = text.parse().unwrap();
            assert!(!format!("{token:?}").contains(&text[..text.len() - 4]), "{token:?}");
            assert_eq!(serde_json::to_string(&token).unwrap(), format!("\"{text}\""));
        }
        for text in ["", "tok", "tok visa", "tok\nvisa", &"x".repeat(256)] {
            assert_eq!(text.parse::<GatewayToken>(), Err(NotAToken::Shape), "{text}");
        }
    }

    #[test]
    fn a_decline_knows_whether_another_try_makes_sense() {
        for (_, codes) in CODES {
            assert!(codes.is_sorted(), "the search needs it");
        }
        let classes = [
            ("insufficient_funds", Class::Soft),
            ("incorrect_cvc", Class::Soft),
            ("authentication_required", Class::Soft),
            ("stolen_card", Class::Hard),
            ("expired_card", Class::Hard),
            ("processing_error", Class::Fault),
            ("not_received", Class::Fault),
            ("a_code_of_tomorrow", Class::Soft),
        ];
        for (code, class) in classes {
            assert_eq!(Decline::of(code.parse().unwrap()).class, class, "{code}");
        }
    }

    /// Digits with a valid check digit, in groups of any length with any separators.
    fn card_number() -> impl Strategy<Value = String> {
        let digits = prop::collection::vec(0_u32..10, 11..19);
        (digits, prop::collection::vec(prop::sample::select(vec!["", "", "", " ", "-", ".", " - "]), 19))
            .prop_map(|(mut digits, between)| {
                digits.push(0);
                let check = (0..10).find(|check| {
                    *digits.last_mut().unwrap() = *check;
                    is_luhn(&digits)
                });
                *digits.last_mut().unwrap() = check.unwrap();
                digits.iter().zip(between).map(|(digit, between)| format!("{digit}{between}")).collect()
            })
    }

    proptest! {
        #[test]
        fn no_grouping_hides_a_card_number(card in card_number(), before in "[a-z_]{0,5}", after in "[a-z_]{0,5}") {
            let text = format!("{before}{card}{after}");
            prop_assert_eq!(text.parse::<GatewayToken>(), Err(NotAToken::CardNumber));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            if let Ok(token) = text.parse::<GatewayToken>() {
                prop_assert_eq!(token.as_str(), &text);
            }
        }
    }
}
