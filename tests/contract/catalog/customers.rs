//! Samples of what is told of a customer.

use super::{Entry, Told, entry, eur, instant, order, person};
use domain::customer::Purpose;
use domain::id::CustomerId;
use events::credit::StoreCreditChangedV1;
use events::customer::{CustomerConsentChangedV1, CustomerErasedV1, CustomerRegisteredV1, Said};

/// Signed up, agreed to one thing and not to another, and forgotten.
pub(super) fn customers() -> Vec<Entry> {
    let customer = CustomerId::from_bits(4);
    let own = format!("person:{}", edge::identity::subject("https://login.example", "carla"));
    let said = |purpose, given| Said { purpose, given, at: instant(0) };
    vec![
        entry(
            Told::new(&customer, 1, 0, &own),
            CustomerRegisteredV1 { customer: customer.clone(), registered_at: instant(0) },
        ),
        entry(
            Told::new(&customer, 1, 0, &own).second(),
            CustomerConsentChangedV1 {
                customer: customer.clone(),
                consents: vec![said(Purpose::MarketingEmail, true), said(Purpose::MarketingPhone, false)],
            },
        ),
        entry(
            Told::new(&customer, 2, 30_000, person()),
            CustomerErasedV1 { customer: customer.clone(), erased_at: instant(30_000) },
        ),
        entry(
            Told::new(format!("{customer}-EUR"), 2, 20_101, "system:payment"),
            StoreCreditChangedV1 {
                customer: customer.clone(),
                order: order(),
                amount: eur("29.00"),
                balance: eur("31.50"),
            },
        ),
    ]
}
