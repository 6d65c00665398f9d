//! What became of a merchant order, for the money: captures, releases and refunds, of whatever is due by then.

use domain::Decision;
use domain::id::{MerchantOrderId, OrderId};
use domain::merchant_order::MerchantOrder;
use domain::order::split;
use domain::payment::{Fact, Grant, Payment, Refused, begin_capture, begin_void, close, grant};
use domain::settlement::{Due, due};
use domain::text::Reason;
use edge::command::Overtaken;
use edge::{Again, World};
use events::Envelope;
use events::merchant_order::{
    MerchantOrderCanceledV1, MerchantOrderRefundedV1, MerchantOrderRejectedV1, MerchantOrderShippedV1,
    ShipmentLostV1,
};
use gateway::{Gateways, Till, capabilities};
use table::payment::PaidOrder;
use table::{Commit, Held};

macro_rules! consumers {
    ($($name:ident $payload:ident)*) => {
        $(pub(crate) async fn $name(
            world: World,
            gateways: Gateways,
            event: Envelope<$payload>,
        ) -> Result<(), Again> {
            of_part(&Till::after(&world, &gateways, &event, "payment"), &event.data.merchant_order).await
        })*
    };
}

consumers! {
    shipped MerchantOrderShippedV1
    canceled MerchantOrderCanceledV1
    rejected MerchantOrderRejectedV1
    lost ShipmentLostV1
    refunded MerchantOrderRefundedV1
}

async fn of_part(till: &Till<'_>, part: &MerchantOrderId) -> Result<(), Again> {
    let (order, _) = part.place().ok_or_else(|| Again::Refused(format!("`{part}` has no order")))?;
    settle(till, &order).await
}

/// Does what is due of an order's payments, one after the other, each looked at anew; each once, whatever comes of it.
pub(crate) async fn settle(till: &Till<'_>, id: &OrderId) -> Result<(), Again> {
    let mut tried = Vec::new();
    loop {
        let found = till.world.table.paid_order(till.m, id).await?;
        let PaidOrder { whole, payments } = found.ok_or_else(|| Again::Early(id.to_string()))?;
        if payments.is_empty() {
            return Ok(());
        }
        let parts: Vec<MerchantOrder> = match whole.parts.as_slice() {
            [] => split(&whole.order.value)?,
            parts => parts.iter().map(|part| part.value.clone()).collect(),
        };
        let values: Vec<Payment> = payments.iter().map(|held| held.value.clone()).collect();
        let due = due(&whole.order.value, &parts, &values)?;
        if grant_all(till, &payments, &due).await? {
            continue;
        }
        let Some(next) = due.into_iter().find(|due| !tried.contains(due)) else { return Ok(()) };
        tried.push(next.clone());
        do_one(till, &payments, next).await?;
    }
}

async fn do_one(till: &Till<'_>, payments: &[Held<Payment>], due: Due) -> Result<(), Again> {
    let now = till.world.now();
    let (Due::Capture { payment, .. }
    | Due::Void { payment, .. }
    | Due::Grant { payment, .. }
    | Due::Close { payment }) = due;
    let Some(held) = payments.get(payment) else { return Ok(()) };
    match due {
        Due::Capture { part, amount, last, .. } => {
            till.carry_out(held, begin_capture(&held.value, part, amount, last, now)).await
        }
        Due::Void { authorization, .. } => {
            till.carry_out(held, begin_void(&held.value, authorization, now)).await
        }
        // Its agenda has what is to be released; it is due at once.
        Due::Close { .. } => till.carry_out(held, Ok(close(&held.value, now))).await,
        Due::Grant { .. } => Ok(()),
    }
}

/// All grants of one look in one transaction: the next look must not find half of them. Whether there were any.
async fn grant_all(till: &Till<'_>, payments: &[Held<Payment>], due: &[Due]) -> Result<bool, Again> {
    let now = till.world.now();
    let reason: Reason =
        "not delivered, or sent back".parse().map_err(|_| Again::Refused("there is no reason".to_owned()))?;
    let mut commit: Commit<'_, Overtaken> = Commit::new(till.m, &till.context);
    let mut granted = false;
    for (position, held) in payments.iter().enumerate() {
        let mut facts: Vec<Fact> = Vec::new();
        let mut value = held.value.clone();
        for one in due {
            let Due::Grant { payment, cause, amount, to } = one else { continue };
            if *payment != position {
                continue;
            }
            let (cause, by) = (cause.clone(), "system:payment".to_owned());
            let (amount, to, reason) = (*amount, *to, reason.clone());
            let asked = Grant { cause, amount, to, reason, by, stray: false };
            match grant(&value, asked, now) {
                Ok(Decision::New(fact)) => {
                    value = value.apply(&fact);
                    facts.push(fact);
                }
                Ok(Decision::Already) => {}
                // What else is due of the order does not wait for a person's answer to that.
                Err(full @ Refused::RefundCount) => {
                    tracing::error!(payment = %value.id, %amount, "not given back: {full}")
                }
                Err(refused) => return Err(refused.into()),
            }
        }
        if facts.is_empty() {
            continue;
        }
        let (with, next) = commit.payment(held, &facts)?;
        commit = with;
        granted = true;
        let capabilities = capabilities(till.gateways, &held.value);
        let looks = (Some(&held.value), &next);
        till.world.table.payment_will_be_due(till.m, looks, capabilities, now).await?;
    }
    if granted {
        commit.send(&till.world.table).await?;
    }
    Ok(granted)
}
