//! Every "no" that the outside can hear, as RFC 9457 problem details.
//!
//! Invariant: a 4xx is a named refusal and may be repeated verbatim; a 5xx says nothing of our insides and is logged
//! once, as a chain. `code` is the contract: clients branch on it, never on texts. `type` is `/problems/` and the same
//! in kebab-case. One exhaustive match per context says which refusal is which problem.

mod describing;
mod media;
mod shopping;
mod subscribing;

use crate::world::MaybeBusy;
use axum::response::{IntoResponse, Response};
use domain::gateway::looks_like_card_number;
use domain::{catalog, merchant, merchant_order, order, payout, stock};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use table::{Fault, Uncommitted};

/// A refusal, as RFC 9457 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Problem {
    /// `/problems/` and the code in kebab-case.
    #[serde(rename = "type")]
    pub kind: Box<str>,
    pub title: &'static str,
    pub status: u16,
    /// What to branch on; it never changes its meaning.
    pub code: &'static str,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<Box<str>>,
    /// The request's id: name it when you ask about the problem. It is the cause of what the request changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Box<str>>,
    /// What is wrong with which field, all at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    pub errors: Vec<FieldError>,
    /// More that a client can act on, by code: what a cart costs now, which requirements are unmet.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub members: Option<Box<serde_json::Map<String, serde_json::Value>>>,
}

/// One bad value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// Path in the body, like `lines[0].quantity`.
    pub field: String,
    pub code: &'static str,
    pub message: String,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        let kind = format!("/problems/{}", code.replace('_', "-")).into();
        Self { kind, title, status, code, detail: None, trace_id: None, errors: Vec::new(), members: None }
    }

    #[must_use]
    pub fn with(self, detail: impl std::fmt::Display) -> Self {
        Self { detail: Some(detail.to_string().into()), ..self }
    }

    /// With one member more.
    #[must_use]
    pub fn member(mut self, name: &str, value: serde_json::Value) -> Self {
        self.members.get_or_insert_default().insert(name.to_owned(), value);
        self
    }

    pub fn malformed(why: impl std::fmt::Display) -> Self {
        Self::new(400, "malformed_request", "The request cannot be read").with(why)
    }

    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(422, "invalid_value", "A value is not acceptable") }
    }

    pub fn key_reused() -> Self {
        Self::new(422, "idempotency_key_reused", "The Idempotency-Key stands for another request")
            .with("this key came with another body before: use a new one")
    }

    pub fn unauthenticated(why: impl std::fmt::Display) -> Self {
        Self::new(401, "unauthenticated", "Who is asking is not known").with(why)
    }

    pub fn forbidden(why: impl std::fmt::Display) -> Self {
        Self::new(403, "forbidden", "This is not allowed").with(why)
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(404, "not_found", "There is no such thing").with(format!("there is no such {what}"))
    }

    pub fn busy() -> Self {
        Self::new(503, "busy", "Please try again")
    }

    pub fn internal() -> Self {
        Self::new(500, "internal", "Something broke on our side")
    }

    /// A fault of ours that is no table fault; logged here, once.
    pub fn fault(error: &dyn std::error::Error) -> Self {
        tracing::error!(error = crate::chain(error), "a request failed");
        Self::internal()
    }

    /// Whether what was asked for is refused, and would be if it were asked again.
    pub fn is_refusal(&self) -> bool {
        (400..500).contains(&self.status)
    }
}

impl MaybeBusy for Problem {
    fn is_busy(&self) -> bool {
        self.code == "busy"
    }
}

/// Readers and checks repeat what was sent; a card's number is not repeated, whatever member it stood in.
fn without_card_numbers(problem: Problem) -> Problem {
    const HIDDEN: &str = "what was sent looks like a card number: send the gateway's token, never the number";
    let hide = |text: String| if looks_like_card_number(&text) { HIDDEN.to_owned() } else { text };
    let errors = problem.errors.into_iter().map(|error| {
        let (field, message) = (hide(error.field), hide(error.message));
        FieldError { field, message, ..error }
    });
    let detail = problem.detail.map(|text| hide(text.into()).into());
    Problem { detail, errors: errors.collect(), ..problem }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let problem = without_card_numbers(self);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match problem.status {
            503 => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            401 => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            _ => None,
        };
        // For the layer that knows the request's trace id.
        response.extensions_mut().insert(problem);
        response
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match &fault {
            Fault::Busy => Self::busy(),
            Fault::ForeignCursor => {
                let (field, message) = ("cursor".to_owned(), fault.to_string());
                Self::invalid(vec![FieldError { field, code: "foreign", message }])
            }
            Fault::Call { .. }
            | Fault::Shape { .. }
            | Fault::Kind { .. }
            | Fault::Money(_)
            | Fault::Unbalanced(_)
            | Fault::Nobodys(_)
            | Fault::TooManyWrites(_) => Self::fault(&fault),
        }
    }
}

/// What a refused commit means is the caller's to say; the rest is the same everywhere.
impl<C: std::fmt::Debug + Into<Problem>> From<Uncommitted<C>> for Problem {
    fn from(uncommitted: Uncommitted<C>) -> Self {
        match uncommitted {
            Uncommitted::Refused(refusal) => refusal.into(),
            Uncommitted::Busy => Self::busy(),
            Uncommitted::Fault(fault) => fault.into(),
        }
    }
}

impl From<domain::MoneyError> for Problem {
    fn from(error: domain::MoneyError) -> Self {
        Self::new(422, "amount_out_of_range", "The amounts cannot be summed").with(error)
    }
}

impl From<order::Refused> for Problem {
    fn from(refused: order::Refused) -> Self {
        use order::Refused as R;
        let (status, code, title) = match refused {
            R::Money(error) => return error.into(),
            R::Part(part) => return part.into(),
            R::Unbalanced(error) => return Self::fault(&error),
            R::LineCount(_) => (422, "order_line_count", "The order has too many lines"),
            R::MerchantCount(_) => (422, "order_merchant_count", "The order has too many merchants"),
            R::PaymentCount(_) => (422, "order_payment_count", "The order has too many payments"),
            R::Quantity { .. } => (422, "order_quantity", "A quantity is not acceptable"),
            R::Empty => (422, "order_empty", "The order has neither lines nor payments"),
            R::Canceled => (409, "order_canceled", "The order is canceled"),
            R::NothingToCancel => (409, "order_nothing_to_cancel", "Nothing is left to cancel"),
            R::RefundExceedsPaid { .. } => {
                (409, "refund_exceeds_paid", "More than was paid cannot be refunded")
            }
            R::PaidByGateway => (409, "order_paid_by_gateway", "The order is paid through gateways"),
            R::NoException => (409, "order_no_exception", "The order has no open exception"),
            R::NotOurMoney | R::NotTaken => (409, "no_store_credit", "Store credit is not given for this"),
            R::NoAccount => (409, "no_account", "There is no account for store credit"),
            R::NoGuests => (404, "not_found", "There is no such thing"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<merchant_order::Refused> for Problem {
    fn from(refused: merchant_order::Refused) -> Self {
        use merchant_order::Refused as R;
        let (status, code, title) = match refused {
            R::Money(error) => return error.into(),
            R::AwaitingPayment => (409, "merchant_order_unpaid", "The merchant order is not paid yet"),
            R::Canceled => (409, "merchant_order_canceled", "The merchant order is canceled"),
            R::Delivered => (409, "merchant_order_delivered", "The merchant order is delivered"),
            R::NoLine => (422, "no_line", "No line is named"),
            R::UnknownLine(_) => (422, "unknown_line", "The merchant order has no such line"),
            R::LineTwice(_) => (422, "line_twice", "A line is named twice"),
            R::Units { .. } => (409, "line_units", "The line has not so many units left"),
            R::UnknownShipment(_) => (404, "not_found", "There is no such thing"),
            R::ShipmentDiffers(_) => (409, "shipment_differs", "The shipment exists with other lines"),
            R::OutOfStock { .. } => (409, "out_of_stock", "There is no stock for these units"),
            R::ShipmentCount => (409, "shipment_count", "The merchant order has too many shipments"),
            R::Shelves(_) => (409, "shelf_count", "The lines lie on too many shelves for one shipment"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<stock::Refused> for Problem {
    fn from(refused: stock::Refused) -> Self {
        let (status, code, title) = match refused {
            stock::Refused::BelowZero { .. } => (409, "stock_below_zero", "There are not so many units"),
            stock::Refused::Nothing => (422, "nothing_adjusted", "Nothing would change"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<catalog::Refused> for Problem {
    fn from(refused: catalog::Refused) -> Self {
        use catalog::Refused as R;
        let (status, code, title) = match refused {
            R::VariantCount(_) => (422, "variant_count", "The product has too few or too many variants"),
            R::Axes => (422, "product_axes", "The product's axes are not acceptable"),
            R::Categories => (422, "product_categories", "The product's categories are not acceptable"),
            R::Values { .. } => (422, "variant_values", "A variant needs one value for each axis"),
            R::SameValues(..) => (422, "variant_values_same", "Two variants have the same values"),
            R::UnknownVariant(_) => (422, "unknown_variant", "The product has no such variant"),
            R::MissingVariant(_) => (409, "variant_missing", "Variants cannot be removed"),
            R::VariantTwice(_) => (422, "variant_twice", "A variant is named twice"),
            R::Archived => (409, "product_archived", "The product is archived"),
            R::Merged(_) => (409, "product_merged", "The product has become another"),
            R::Circle(_) => (409, "category_circle", "A category cannot lie below itself"),
            R::LocationCount => (409, "location_count", "The offer's stock lies in too many locations"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<payout::Refused> for Problem {
    fn from(refused: payout::Refused) -> Self {
        let (status, code, title) = match refused {
            payout::Refused::NotSent => (409, "payout_not_sent", "The payout is not sent yet"),
            payout::Refused::Failed => (409, "payout_failed", "The payout has failed"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<merchant::Refused> for Problem {
    fn from(refused: merchant::Refused) -> Self {
        let (status, code, title) = match refused {
            merchant::Refused::Transition { .. } => {
                (409, "merchant_transition", "The merchant's status does not allow this")
            }
            merchant::Refused::StillOwed => (409, "merchant_still_owed", "The merchant is still owed money"),
            merchant::Refused::StillSettling(_) => {
                (409, "merchant_still_settling", "Orders may still come to light")
            }
            merchant::Refused::StillOpen { .. } => {
                (409, "merchant_still_open", "The merchant has open orders or payouts")
            }
            merchant::Refused::Requirements(_) => {
                (409, "merchant_requirements", "The merchant's checklist is incomplete")
            }
            merchant::Refused::OtherTerms => {
                (409, "other_terms", "These are not the terms that the marketplace offers")
            }
            merchant::Refused::NoInvitation => (404, "not_found", "There is no such thing"),
            merchant::Refused::InvitationUsed => (409, "invitation_used", "The invitation is used up"),
            merchant::Refused::InvitationExpired => (409, "invitation_expired", "The invitation has expired"),
        };
        Self::new(status, code, title).with(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_table_asks_to_come_again_and_is_no_fault_of_ours() {
        let answer = Problem::from(Fault::Busy).into_response();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["retry-after"]),
            (503, &"1".parse().unwrap())
        );
    }
}
