//! What time brings to a payment: its agenda, as far as it is due, and what its order was waiting for.

use crate::settle::settle;
use domain::id::PaymentId;
use domain::payment::{Duty, Payment, agenda, take_up};
use edge::{Again, World};
use events::Envelope;
use events::payment::{PaymentDueV1, PaymentRefundGrantedV1, PaymentRefundRedirectedV1};
use gateway::{Gateways, Till, capabilities};
use jiff::Timestamp;
use table::Held;

macro_rules! consumers {
    ($($name:ident $payload:ident)*) => {
        $(pub(crate) async fn $name(
            world: World,
            gateways: Gateways,
            event: Envelope<$payload>,
        ) -> Result<(), Again> {
            work(&Till::after(&world, &gateways, &event, "payment"), &event.data.payment, event.at).await
        })*
    };
}

consumers! {
    due PaymentDueV1
    granted PaymentRefundGrantedV1
    redirected PaymentRefundRedirectedV1
}

/// Does every duty that is due, each once, each after a new look: one may settle the next. What a new authorization or
/// an answer has made possible for the order comes last. `sent`: when the message was due.
async fn work(till: &Till<'_>, id: &PaymentId, sent: Timestamp) -> Result<(), Again> {
    let mut done: Vec<Duty> = Vec::new();
    loop {
        let held = till.load(id).await?;
        let now = till.world.now();
        let all = agenda(&held.value, capabilities(till.gateways, &held.value));
        // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
        let behind = all.iter().any(|(at, duty)| now < *at && *at <= sent && *duty != Duty::Finalize);
        let mut due = all.into_iter().filter(|(at, _)| *at <= now).map(|(_, duty)| duty);
        let Some(duty) = due.find(|duty| *duty != Duty::Finalize && !done.contains(duty)) else {
            if behind {
                return Err(Again::Early(id.to_string()));
            }
            // The payment of an invoice is of no order.
            let of_order = held.value.finalized && held.value.invoice.is_none();
            return if of_order { settle(till, &held.value.order).await } else { Ok(()) };
        };
        done.push(duty.clone());
        do_duty(till, &held, duty).await?;
    }
}

async fn do_duty(till: &Till<'_>, held: &Held<Payment>, duty: Duty) -> Result<(), Again> {
    let payment = &held.value;
    if let Duty::Ask { attempt, ask } = duty
        && let Some(attempt) = payment.attempt(attempt)
    {
        return till.ask(payment, attempt, ask).await;
    }
    if let Duty::Alert(what) = &duty {
        let (payment, alert) = (payment.id.as_str(), what.word());
        tracing::warn!(payment, alert, "a person has to look at a payment");
    }
    till.carry_out(held, take_up(payment, &duty, till.world.now())).await
}
