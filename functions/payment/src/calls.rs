//! A call of a gateway: commit the attempt, call, commit what is told. The one way of all of them.

use domain::Decision;
use domain::gateway::{Capabilities, Outcome};
use domain::id::{AttemptId, MarketplaceId, PaymentId};
use domain::payment::{Attempt, Fact, Payment, Refused, settle};
use edge::command::Overtaken;
use edge::{Again, World};
use events::{Context, Envelope};
use gateway::{Gateway, Gateways};
use table::{Commit, Held, Key};

/// Where and why something is done.
pub(crate) struct Till<'a> {
    pub(crate) world: &'a World,
    pub(crate) gateways: &'a Gateways,
    pub(crate) m: &'a MarketplaceId,
    pub(crate) context: Context,
}

impl<'a> Till<'a> {
    pub(crate) fn after<T>(world: &'a World, gateways: &'a Gateways, event: &'a Envelope<T>) -> Self {
        let context = Context::follows(event, world.now(), "payment");
        Self { world, gateways, m: &event.marketplace, context }
    }

    /// The payment's gateway. One that this deployment does not have any more needs a person, and the message waits
    /// among the dead letters.
    pub(crate) fn gateway(&self, payment: &Payment) -> Result<&'a Gateway, Again> {
        let name = payment.gateway.as_str();
        let missing = || Again::Refused(format!("this deployment has no gateway `{name}`"));
        self.gateways.find(name).ok_or_else(missing)
    }

    pub(crate) async fn load(&self, id: &PaymentId) -> Result<Held<Payment>, Again> {
        let key = Key::payment(self.m, id).ok_or_else(|| Again::Refused(format!("{id} has no order")))?;
        let held = self.world.table.load::<Payment>(&key).await?;
        held.ok_or_else(|| Again::Early(id.to_string()))
    }

    /// Commits facts of one payment; first what is due next because of them.
    pub(crate) async fn commit(&self, held: &Held<Payment>, facts: &[Fact]) -> Result<Payment, Again> {
        let commit = Commit::new(self.m, &self.context);
        let (commit, next) = commit.payment(held, facts)?;
        let capabilities = capabilities(self.gateways, &held.value);
        let (table, now) = (&self.world.table, self.world.now());
        table.payment_will_be_due(self.m, (Some(&held.value), &next), capabilities, now).await?;
        let moved = table.credit_moved(self.m, &[(&held.value, &next)]).await?;
        commit.credit(moved, Overtaken).send(table).await?;
        Ok(next)
    }

    /// Carries out what was decided on a held payment. What is refused is not due any more, or not yet: the payment's
    /// agenda brings it again where it is.
    pub(crate) async fn carry_out(
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
        let Some(request) = next.request(&attempt) else {
            return Err(Again::Refused(format!("{} acts on what has no name", attempt.id(&next.id))));
        };
        let outcome = self.gateway(&next)?.call(self.m, &request).await;
        self.tell(&attempt.id(&next.id), outcome, None).await
    }

    /// Asks what became of an attempt, for the `ask`-th time.
    pub(crate) async fn ask(&self, payment: &Payment, attempt: &Attempt, ask: u8) -> Result<(), Again> {
        let outcome = match payment.question(attempt) {
            Some(question) => self.gateway(payment)?.call(self.m, &question).await,
            None => Outcome::Unknown,
        };
        self.tell(&attempt.id(&payment.id), outcome, Some(ask)).await
    }

    /// Joins what is told of an attempt, by whomever; again while others write, for a call is not made twice for that.
    pub(crate) async fn tell(
        &self,
        attempt: &AttemptId,
        outcome: Outcome,
        ask: Option<u8>,
    ) -> Result<(), Again> {
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
pub(crate) fn capabilities(gateways: &Gateways, payment: &Payment) -> Capabilities {
    let none = Capabilities { multi_capture: false, renewal: false };
    gateways.find(payment.gateway.as_str()).map_or(none, Gateway::capabilities)
}
