//! Samples of what is told of carts that were left.

use super::{Entry, Told, entry, eur, instant, marketplace, order, person};
use domain::id::{CustomerId, FollowUpId, OfferId, ProductId, WaitId};
use domain::reminder::Arm;
use events::cart::{
    CartRecoveredV1, CartRemindedV1, CartReminderDueV1, CartRemindersSetV1, OfferBackInStockV1,
};

const DAY: i64 = 24 * 60;

/// Left for three days, reminded with a code, ordered.
pub(super) fn carts() -> Vec<Entry> {
    let email = "ines@post.example".parse().expect("a mailbox");
    let follow_up = FollowUpId::of(&marketplace(), &email);
    let due = format!("due:{follow_up}:2026-01-08T09:00");
    vec![
        entry(
            Told::new("reminder-policy", 1, 0, person()),
            CartRemindersSetV1 { steps: 3, hold_out_percent: 10 },
        ),
        entry(
            Told::new(&due, 0, 3 * DAY, "system:reminder").because(&due),
            CartReminderDueV1 { follow_up: follow_up.clone() },
        ),
        entry(
            Told::new(&follow_up, 3, 3 * DAY, "system:abandoned-cart").because(&due),
            CartRemindedV1 {
                follow_up: follow_up.clone(),
                customer: Some(CustomerId::from_bits(4)),
                number: 3,
                of: 3,
                code: Some("BACK-0F3A5C7E9B1D".to_owned()),
                code_until: Some(instant(6 * DAY)),
            },
        ),
        entry(
            Told::new(WaitId::from_bits(6), 1, 2 * DAY, "system:wish-lists"),
            OfferBackInStockV1 {
                offer: OfferId::from_bits(8),
                product: ProductId::from_bits(7),
                customer: CustomerId::from_bits(4),
            },
        ),
        entry(
            Told::new(&follow_up, 4, 4 * DAY, "system:abandoned-cart"),
            CartRecoveredV1 {
                follow_up: follow_up.clone(),
                order: order(),
                arm: Arm::Reminded,
                reminders: 3,
                total: eur("57.15"),
            },
        ),
    ]
}
