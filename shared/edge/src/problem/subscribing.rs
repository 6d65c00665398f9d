//! Refusals of plans, subscriptions and dunning, in the words of the API.

use super::Problem;
use domain::{period, plan, subscription};

impl From<subscription::Refused> for Problem {
    fn from(refused: subscription::Refused) -> Self {
        use subscription::Refused as R;
        let (status, code, title) = match refused {
            R::Money(error) => return error.into(),
            R::Priced(error) => return error.into(),
            R::OutOfTime(error) => return error.into(),
            R::Ended => (409, "subscription_ended", "The subscription has ended"),
            R::Incomplete => (409, "subscription_incomplete", "The first payment is on its way"),
            R::Paused => (409, "subscription_paused", "The subscription is paused"),
            R::NotPaused => (409, "subscription_not_paused", "The subscription is not paused"),
            R::Trialing => (409, "subscription_trialing", "The subscription is in its trial"),
            R::EndsSoon => (409, "subscription_ends", "The subscription ends with its period"),
            R::ChangeWaits => (409, "subscription_change_waits", "A change waits for the end of the period"),
            R::NotCanceled => (409, "subscription_not_canceled", "No cancellation waits"),
            R::RenewalDue => (409, "renewal_due", "The renewal is on its way"),
            R::Currency { .. } => (422, "subscription_currency", "A subscription keeps its currency"),
            R::NoProration => (409, "no_proration", "The plan changes with its period only"),
            R::AsOf(_) => (422, "as_of_out_of_range", "A change cannot be reckoned from this moment"),
            R::PauseEnd(_) => (422, "pause_end", "A pause ends after it begins"),
            R::Sending => (409, "goods_on_their_way", "The goods of the period are being ordered"),
            R::NoGoods => (409, "no_delivery", "Nothing of this subscription is delivered"),
            R::DeliveryDay(_) => (422, "delivery_day", "The delivery cannot be moved there"),
            R::DocumentCount => (409, "document_count", "The subscription has too many documents"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<plan::NotPriced> for Problem {
    fn from(refused: plan::NotPriced) -> Self {
        match refused {
            plan::NotPriced::Money(error) => error.into(),
            plan::NotPriced::Quantity(_) | plan::NotPriced::TooMany { .. } => {
                Self::new(422, "plan_quantity", "The plan is not sold in this quantity").with(refused)
            }
        }
    }
}

impl From<period::OutOfTime> for Problem {
    fn from(error: period::OutOfTime) -> Self {
        Self::new(422, "out_of_time", "A moment lies too far ahead").with(error)
    }
}
