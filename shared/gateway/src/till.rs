//! A call of a gateway: commit the attempt, call, commit what is told. The one way of all of them.
//!
//! Where what is told pays an invoice, payment and invoice change in one transaction.

use crate::{Gateway, Gateways};
use domain::Decision;
use domain::gateway::{Capabilities, Outcome};
use domain::id::{AttemptId, MarketplaceId, PaymentId};
use domain::payment::{Attempt, Fact, Payment, Refused, settle};
use edge::command::Overtaken;
use edge::{Again, World};
use events::{Context, Envelope};

use table::{Commit, Held, Key, Story};

/// Where and why something is done.
#[derive(Debug, Clone)]
pub struct Till<'a> {
    pub world: &'a World,
    pub gateways: &'a Gateways,
    pub m: &'a MarketplaceId,
    pub context: Context,
}

impl<'a> Till<'a> {
    pub fn after<T>(
        world: &'a World,
        gateways: &'a Gateways,
        event: &'a Envelope<T>,
        function: &str,
    ) -> Self {
        let context = Context::follows(event, world.now(), function);
        Self { world, gateways, m: &event.marketplace, context }
    }

    /// The payment's gateway. One that this deployment does not have any more needs a person, and the message waits
    /// among the dead letters.
    pub fn gateway(&self, payment: &Payment) -> Result<&'a Gateway, Again> {
        let name = payment.gateway.as_str();
        let missing = || Again::Refused(format!("this deployment has no gateway `{name}`"));
        self.gateways.find(name).ok_or_else(missing)
    }

    pub async fn load(&self, id: &PaymentId) -> Result<Held<Payment>, Again> {
        let key = Key::payment(self.m, id).ok_or_else(|| Again::Refused(format!("{id} has no order")))?;
        let held = self.world.table.load::<Payment>(&key).await?;
        held.ok_or_else(|| Again::Early(id.to_string()))
    }

    /// Commits facts of one payment; first what is due next because of them.
    pub async fn commit(&self, held: &Held<Payment>, facts: &[Fact]) -> Result<Payment, Again> {
        let (table, now) = (&self.world.table, self.world.now());
        let after = facts.iter().fold(held.value.clone(), |payment, fact| payment.apply(fact));
        let paid = table.invoice_paid(self.m, (&held.value, &after), now).await?;
        let story = paid.as_ref().map_or_else(Story::default, |paid| paid.story.clone());
        let (commit, next) = Commit::new(self.m, &self.context).payment_with(held, facts, story)?;
        let commit = match &paid {
            Some(paid) => commit.replace(&paid.held, &paid.next),
            None => commit,
        };
        let capabilities = capabilities(self.gateways, &held.value);
        table.payment_will_be_due(self.m, (watched(&held.value), &next), capabilities, now).await?;
        let moved = table.credit_moved(self.m, &[(&held.value, &next)]).await?;
        commit.credit(moved, Overtaken).send(table).await?;
        Ok(next)
    }

    /// Carries out what was decided on a held payment. What is refused is not due any more, or not yet: the payment's
    /// agenda brings it again where it is.
    pub async fn carry_out(
        &self,
        held: &Held<Payment>,
        decided: Result<Decision<Fact>, Refused>,
    ) -> Result<(), Again> {
        let fact = match decided {
            Ok(Decision::New(fact)) => fact,
            Ok(Decision::Already) => return Ok(()),
            Err(refused) => {
                let payment = held.value.id.as_str();
                tracing::info!(payment, refused = refused.to_string(), "a call is not made now");
                return Ok(());
            }
        };
        let next = self.commit(held, std::slice::from_ref(&fact)).await?;
        let Fact::Begun { attempt, .. } = fact else { return Ok(()) };
        self.call(&next, &attempt).await
    }

    /// Makes a call that is committed, and commits what is told.
    pub async fn call(&self, payment: &Payment, attempt: &Attempt) -> Result<(), Again> {
        let Some(request) = payment.request(attempt) else {
            return Err(Again::Refused(format!("{} acts on what has no name", attempt.id(&payment.id))));
        };
        let outcome = self.gateway(payment)?.call(self.m, &request).await;
        self.tell(&attempt.id(&payment.id), outcome, None).await
    }

    /// Asks what became of an attempt, for the `ask`-th time.
    pub async fn ask(&self, payment: &Payment, attempt: &Attempt, ask: u8) -> Result<(), Again> {
        let outcome = match payment.question(attempt) {
            Some(question) => self.gateway(payment)?.call(self.m, &question).await,
            None => Outcome::Unknown,
        };
        self.tell(&attempt.id(&payment.id), outcome, Some(ask)).await
    }

    /// Joins what is told of an attempt, by whomever; again while others write, for a call is not made twice for that.
    pub async fn tell(&self, attempt: &AttemptId, outcome: Outcome, ask: Option<u8>) -> Result<(), Again> {
        let (id, number) =
            attempt.place().ok_or_else(|| Again::Refused(format!("{attempt} has no payment")))?;
        self.world
            .until_free(|| async {
                let held = self.load(&id).await?;
                match settle(&held.value, number, outcome.clone(), ask, self.world.now())? {
                    Decision::New(fact) => self.commit(&held, &[fact]).await.map(|_| ()),
                    Decision::Already => Ok(()),
                }
            })
            .await
    }
}

/// What the payment's gateway can do; of one that is not here any more nothing is expected.
pub fn capabilities(gateways: &Gateways, payment: &Payment) -> Capabilities {
    let none = Capabilities { multi_capture: false, renewal: false };
    gateways.find(payment.gateway.as_str()).map_or(none, Gateway::capabilities)
}

/// What its next look is compared with. A renewal is called without a look on the list of due work, as the message
/// that it comes of comes again: what it waits for is put there with its first change.
pub(crate) fn watched(payment: &Payment) -> Option<&Payment> {
    Some(payment).filter(|payment| payment.invoice.is_none() || payment.in_trouble())
}
