//! Refusals that a shopper can meet on the way from cart to order.

use super::Problem;
use crate::shopping::UnmetView;
use domain::cart;
use domain::fx::FxError;
use domain::{checkout, credit, customer, payment, pricing, review, tender, wish_list};
use events::Amount;
use serde_json::json;

impl From<checkout::Refused> for Problem {
    fn from(refused: checkout::Refused) -> Self {
        use checkout::Refused as R;
        let (code, title) = match &refused {
            R::Locked => ("payment_in_flight", "Payment is on its way"),
            R::CartChanged { .. } => ("cart_changed", "The cart costs something else now"),
            R::Incomplete(_) => {
                ("checkout_incomplete", "Something is missing before the order can be placed")
            }
            R::Completed(_) => ("cart_completed", "The cart has become an order"),
        };
        let problem = Self::new(409, code, title).with(&refused);
        match refused {
            R::CartChanged { total, .. } => problem.member("total", json!(Amount::from(total))),
            R::Completed(order) => problem.member("order", json!(order)),
            R::Incomplete(unmet) => {
                let unmet: Vec<UnmetView> = unmet.into_iter().map(UnmetView::from).collect();
                problem.member("unmet", json!(unmet))
            }
            R::Locked => problem,
        }
    }
}

impl From<cart::Refused> for Problem {
    fn from(refused: cart::Refused) -> Self {
        use cart::Refused as R;
        let (code, title) = match refused {
            R::Checkout(refused) => return refused.into(),
            R::LineCount => ("cart_line_count", "The cart has too many lines"),
            R::MerchantCount => ("cart_merchant_count", "The cart has lines of too many merchants"),
            R::Quantity(_) => ("cart_quantity", "A quantity is not acceptable"),
            R::CodeCount => ("cart_code_count", "The cart has too many codes"),
            R::NoLine(_) => ("unknown_line", "The cart has no such line"),
            R::NoMerchant(_) => ("unknown_merchant", "The cart has no line of this merchant"),
        };
        Self::new(422, code, title).with(refused)
    }
}

impl From<wish_list::Refused> for Problem {
    fn from(refused: wish_list::Refused) -> Self {
        use wish_list::Refused as R;
        let (code, title) = match refused {
            R::Cart(refused) => return refused.into(),
            R::ItemCount => ("wish_list_item_count", "The wish list has too many things"),
            R::Quantity(_) => ("wish_list_quantity", "A quantity is not acceptable"),
            R::NoItem(_) => ("unknown_item", "The wish list has no such item"),
        };
        Self::new(422, code, title).with(refused)
    }
}

impl From<review::Refused> for Problem {
    fn from(refused: review::Refused) -> Self {
        use review::Refused as R;
        let (code, title) = match refused {
            R::Withdrawn => ("review_withdrawn", "The review is withdrawn"),
            R::NotPublished => ("review_not_published", "The review is not published"),
            R::Replied => ("review_replied", "The review has a reply"),
            R::NoReply => ("review_no_reply", "The review has no reply"),
            R::TooManyEdits => ("reply_edit_count", "The reply was edited too often"),
            R::NoPlace => ("photo_no_place", "The review has no such place for a photo"),
            R::PlaceTaken => ("photo_there", "There is a photo in this place"),
        };
        Self::new(409, code, title).with(refused)
    }
}

impl From<customer::Refused> for Problem {
    fn from(refused: customer::Refused) -> Self {
        let (status, code, title) = match refused {
            customer::Refused::AddressCount => (409, "address_count", "There are too many addresses"),
            customer::Refused::NoAddress => (404, "not_found", "There is no such thing"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<pricing::Refused> for Problem {
    fn from(refused: pricing::Refused) -> Self {
        use pricing::Refused as R;
        match refused {
            R::Money(error) | R::Fx(FxError::Money(error)) => error.into(),
            R::Fx(error) => Self::new(409, "no_exchange_rate", "A price cannot be converted").with(error),
            // A cart cannot hold what its pricing would refuse.
            R::LineCount(_)
            | R::MerchantCount(_)
            | R::DiscountCount(_)
            | R::Number(_)
            | R::Quantity { .. }
            | R::NoSeller(_)
            | R::Percent(_)
            | R::TwoRates(_) => Self::fault(&refused),
        }
    }
}

impl From<credit::Refused> for Problem {
    fn from(refused: credit::Refused) -> Self {
        use credit::Refused as R;
        match refused {
            R::Money(error) => error.into(),
            R::TooLittle { .. } => {
                Self::new(409, "store_credit_too_little", "There is too little store credit").with(refused)
            }
        }
    }
}

impl From<payment::Refused> for Problem {
    fn from(refused: payment::Refused) -> Self {
        use payment::Refused as R;
        let (status, code, title) = match refused {
            R::Money(error) => return error.into(),
            R::NoAmount => (422, "payment_amount", "The amount is not acceptable"),
            R::NoAttempt(_) => (422, "unknown_attempt", "The payment has no such attempt"),
            R::NoRefund(_) => (422, "unknown_refund", "The payment has no such refund"),
            R::Closed => (409, "payment_closed", "Nothing more is wanted of the payment"),
            R::UnderWay(_) | R::Unknown(_) | R::WaitsForCustomer(_) | R::WaitsForTransfer(_) => {
                (409, "payment_in_flight", "The payment is on its way")
            }
            R::StillAsked(_) => (409, "payment_still_asked", "The gateway is still being asked"),
            R::DeclinedForGood => (409, "payment_declined_for_good", "Another means of payment is needed"),
            R::NotAuthorized => (409, "payment_not_authorized", "The payment is not authorized"),
            R::Expired(_) => (409, "payment_expired", "The authorization has ended"),
            R::ExceedsAuthorized { .. } => {
                (409, "capture_exceeds_authorized", "More than is authorized cannot be captured")
            }
            R::OtherPart(_) => (409, "payment_of_other_part", "The payment is for another merchant order"),
            R::CaptureDiffers { .. } => (409, "capture_differs", "Another amount is captured already"),
            R::ExceedsCaptured { .. } => {
                (409, "refund_exceeds_captured", "More than was captured cannot be refunded")
            }
            R::RefundDiffers { .. } => (409, "refund_differs", "Another amount is granted for this cause"),
            R::NoAccount => (409, "no_account", "There is no account for store credit"),
            R::Executed => (409, "refund_executed", "The refund is executed already"),
            R::AttemptCount => (409, "payment_attempt_count", "The payment has too many attempts"),
            R::RefundCount => (409, "payment_refund_count", "The payment has too many refunds"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<tender::Refused> for Problem {
    fn from(refused: tender::Refused) -> Self {
        use tender::Refused as R;
        let (code, title) = match refused {
            R::Money(error) => return error.into(),
            R::Short { .. } => ("payment_short", "The means of payment do not cover the total"),
            R::ExceedsCaptured { .. } => {
                ("refund_exceeds_captured", "More than was captured cannot be refunded")
            }
        };
        Self::new(409, code, title).with(refused)
    }
}

impl From<cart::NotBought> for Problem {
    fn from(not: cart::NotBought) -> Self {
        match not {
            // A fee has no rate of today.
            cart::NotBought::Fx(error) => pricing::Refused::Fx(error).into(),
            cart::NotBought::Line(_)
            | cart::NotBought::Total { .. }
            | cart::NotBought::Order(_)
            | cart::NotBought::Money(_)
            | cart::NotBought::Text(_) => Self::fault(&not),
        }
    }
}
