//! How the money of invoices is collected, for all who do: at a renewal, at a customer's word, in dunning.
//!
//! An invoice has one payment with several attempts; another one only where the customer comes with a means of payment
//! of another gateway or method. Nothing is charged twice: while an attempt is open no other begins (A9(1)).

use crate::Till;
use crate::till::watched;
use domain::Decision;
use domain::id::OrderId;
use domain::invoice::{Invoice, Stage as InvoiceStage};
use domain::payment::{self, Attempt, Payment, Refused, State, Waits, attended, begin_authorize, begin_void};
use domain::subscription::{Ended, Means, Stage, Step, Subscription, activate, end, give_up};
use edge::Again;
use edge::command::Overtaken;
use jiff::Timestamp;
use table::payment::look_that_is_new;
use table::{Commit, Held};

/// What became of a try to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collected {
    /// It is paid, or nothing was due.
    Paid,
    /// Where the last payment stands.
    Not(Box<Payment>),
}

impl Till<'_> {
    /// Commits a step with its document and the first attempt of its payment, then calls. `remember` adds what belongs
    /// to the transaction beside that. Before a call with nobody waiting for a message to come again, `watched` puts
    /// the question what became of it on the list of due work.
    pub async fn take(
        &self,
        held: Option<&Held<Subscription>>,
        step: &Step,
        (off_session, watched): (bool, bool),
        remember: impl for<'c> FnOnce(Commit<'c, Overtaken>) -> Commit<'c, Overtaken>,
    ) -> Result<Option<Payment>, Again> {
        let (table, now) = (&self.world.table, self.world.now());
        let payment = step.payment(off_session, now)?;
        let before = held.map(|held| &held.value);
        table.subscription_will_be_due(self.m, before, &step.next).await?;
        let commit = Commit::new(self.m, &self.context);
        let commit = commit.subscription(self.m, held, step, Overtaken)?;
        let mut commit = remember(commit);
        if let Some(payment) = &payment {
            commit = commit.open_payment(payment, Overtaken);
            let able = crate::capabilities(self.gateways, payment);
            if let (true, Some(at)) = (watched, look_that_is_new((None, payment), able, now)) {
                commit = commit.due(table::due::Work::Payment, payment.id.as_str(), at);
            }
        }
        commit.send(table).await?;
        let Some(payment) = payment else { return Ok(None) };
        self.first_call(&payment).await?;
        Ok(Some(payment))
    }

    async fn first_call(&self, payment: &Payment) -> Result<(), Again> {
        match payment.attempts.last() {
            Some(attempt) => self.call(payment, attempt).await,
            None => Ok(()),
        }
    }

    /// The payments of an invoice, the last one last.
    pub async fn payments_of(&self, invoice: &Invoice) -> Result<Vec<Held<Payment>>, Again> {
        Ok(self.world.table.payments(self.m, &OrderId::of_invoice(&invoice.id)).await?)
    }

    /// After a crash between commit and call nobody knows whether the gateway was called: it is asked, once the call
    /// cannot be under way any more. What is asked already is left to the schedule of questions.
    pub async fn pursue(&self, invoice: &Invoice) -> Result<(), Again> {
        let unanswered =
            |attempt: &&Attempt| matches!(attempt.state, State::Open { waits: Waits::Answer, .. });
        for held in self.payments_of(invoice).await? {
            if let Some(attempt) = held.value.attempts.iter().find(unanswered) {
                if attempt.is_under_way(self.world.now()) {
                    return Err(Again::Early(attempt.id(&held.value.id).to_string()));
                }
                self.ask(&held.value, attempt, 1).await?;
            }
        }
        Ok(())
    }

    /// Tries to collect an open invoice with a means of payment, now.
    pub async fn collect(
        &self,
        invoice: &Invoice,
        means: &Means,
        off_session: bool,
    ) -> Result<Collected, Again> {
        let now = self.world.now();
        if invoice.stage != InvoiceStage::Open {
            return Ok(Collected::Paid);
        }
        let payments = self.payments_of(invoice).await?;
        let last = payments.last();
        // A payment takes so many tries and no more; then comes another one.
        let full = |payment: &Payment| {
            begin_authorize(payment, means.token.clone(), now) == Err(Refused::AttemptCount)
        };
        let same = |payment: &Payment| payment.gateway == means.gateway && payment.method == means.method;
        match last {
            Some(held) if same(&held.value) && !full(&held.value) => {
                let fresh = means.token.clone().filter(|token| held.value.token.as_ref() != Some(token));
                let held = self.not_confirmed(held, fresh.is_some()).await?;
                let begun = begin_authorize(&held.value, fresh, now);
                let begun = if off_session { begun } else { begun.map(attended) };
                self.carry_out(&held, begun).await?;
            }
            Some(_) | None => {
                let last = match last {
                    Some(held) => Some(self.not_confirmed(held, true).await?),
                    None => None,
                };
                // What may still come of the last one, or has just come, is not charged otherwise.
                let bars = |payment: &Payment| {
                    payment.open_authorization().is_some() || payment.captured().minor > 0
                };
                if !last.as_ref().is_some_and(|held| bars(&held.value)) {
                    self.charge_anew(invoice, (last.as_ref(), means), off_session).await?;
                }
            }
        }
        let paid = self.world.table.invoice(self.m, &invoice.id).await?;
        if paid.is_some_and(|held| held.value.stage != InvoiceStage::Open) {
            return Ok(Collected::Paid);
        }
        let last = self.payments_of(invoice).await?.pop();
        let last = last.ok_or_else(|| Again::Early(invoice.id.to_string()))?;
        Ok(Collected::Not(Box::new(last.value)))
    }

    /// One payment more of an invoice, in the place of the last one.
    async fn charge_anew(
        &self,
        invoice: &Invoice,
        (last, means): (Option<&Held<Payment>>, &Means),
        off_session: bool,
    ) -> Result<(), Again> {
        let now = self.world.now();
        let number = last.map_or(1, |held| held.value.number().saturating_add(1));
        let payment = invoice.charge(means, (number, off_session), now)?;
        let mut commit: Commit<'_, Overtaken> =
            Commit::new(self.m, &self.context).open_payment(&payment, Overtaken);
        // A crash before the call: no message comes again for it, so the list of due work brings the question.
        let able = crate::capabilities(self.gateways, &payment);
        if let Some(at) = look_that_is_new((None, &payment), able, now) {
            commit = commit.due(table::due::Work::Payment, payment.id.as_str(), at);
        }
        if let Some(held) = last
            && let Decision::New(closed) = payment::close(&held.value, now)
        {
            commit = commit.payment(held, &[closed])?.0;
        }
        commit.send(&self.world.table).await?;
        self.first_call(&payment).await
    }

    /// Who comes with another means of payment does not confirm the one that waits for it.
    async fn not_confirmed(&self, held: &Held<Payment>, fresh: bool) -> Result<Held<Payment>, Again> {
        let waits = |one: &&Attempt| matches!(one.state, State::Open { waits: Waits::Customer { .. }, .. });
        let Some(waiting) = held.value.open_authorization().filter(waits).filter(|_| fresh) else {
            return Ok(held.clone());
        };
        self.carry_out(held, begin_void(&held.value, waiting.number, self.world.now())).await?;
        self.load(&held.value.id).await
    }

    /// The first invoice is paid: the subscription runs.
    pub async fn begins(&self, held: &Held<Subscription>) -> Result<Option<Subscription>, Again> {
        let Decision::New(step) = activate(&held.value) else { return Ok(None) };
        self.world.table.subscription_will_be_due(self.m, Some(&held.value), &step.next).await?;
        let commit = Commit::new(self.m, &self.context);
        commit.subscription(self.m, Some(held), &step, Overtaken)?.send(&self.world.table).await?;
        Ok(Some(step.next))
    }

    /// The first payment came to nothing: there was no subscription and no sale. Where it has come all the same, the
    /// subscription begins.
    pub async fn never_began(&self, held: &Held<Subscription>) -> Result<Option<Subscription>, Again> {
        let Stage::Incomplete { .. } = held.value.stage else { return Ok(None) };
        let now = self.world.now();
        let step = end(&held.value, Ended::NeverPaid, now);
        let invoice = match held.value.last_document() {
            Some(id) => self.world.table.invoice(self.m, &id).await?,
            None => None,
        };
        if invoice.as_ref().is_some_and(|invoice| matches!(invoice.value.stage, InvoiceStage::Paid { .. })) {
            return self.begins(held).await;
        }
        let mut commit: Commit<'_, Overtaken> =
            Commit::new(self.m, &self.context).subscription(self.m, Some(held), &step, Overtaken)?;
        if let Some(invoice) = invoice
            && let Some((next, posting)) = invoice.value.voided(now)?
        {
            commit = commit.invoice(&invoice, &next, events::invoice::voided(&next), posting);
            commit = self.close_payments(commit, &next).await?;
        }
        commit.send(&self.world.table).await?;
        Ok(Some(step.next))
    }

    /// It ends at a moment and its open invoice will not be paid: written off, or voided where a document of what was
    /// used takes its place; its payments closed, its case at its end. An invoice that was paid since then is looked at
    /// again.
    pub async fn gives_up(
        &self,
        held: &Held<Subscription>,
        (why, at): (Ended, Timestamp),
    ) -> Result<Step, Again> {
        let (table, now) = (&self.world.table, self.world.now());
        let ended = matches!(held.value.stage, Stage::Ended { .. });
        let Some(id) = held.value.last_document() else { return Err(Again::Busy) };
        let invoice = table.invoice(self.m, &id).await?;
        let invoice = invoice.filter(|invoice| invoice.value.stage == InvoiceStage::Open);
        let mut commit: Commit<'_, Overtaken> = Commit::new(self.m, &self.context);
        let step = match &invoice {
            Some(invoice) if !ended => {
                let step = give_up(&held.value, &invoice.value, why, (at, now))?;
                commit = commit.subscription(self.m, Some(held), &step, Overtaken)?;
                step
            }
            None if !ended => return Err(Again::Busy),
            Some(_) | None => end(&held.value, why, at),
        };
        let replaced = step.document.is_some();
        let over = match &invoice {
            Some(open) if replaced => open.value.voided(now)?,
            Some(open) => open.value.written_off(now)?,
            None => None,
        };
        if let (Some(invoice), Some((next, posting))) = (&invoice, over) {
            let voided = replaced.then(|| Ok(events::invoice::voided(&next)));
            let told = voided.unwrap_or_else(|| events::invoice::written_off(&next))?;
            commit = commit.invoice(invoice, &next, told, posting);
            commit = self.close_payments(commit, &next).await?;
            if let Some(case) = table.dunning_case(self.m, &id).await?
                && let Some(next) = case.value.exhausted(now)
            {
                commit = commit.case(Some(&case), &next, Overtaken);
            }
        }
        commit.send(table).await?;
        Ok(step)
    }

    /// Nothing more is wanted of an invoice's payments: what comes all the same awaits approval to go back.
    pub async fn close_payments<'c>(
        &self,
        mut commit: Commit<'c, Overtaken>,
        invoice: &Invoice,
    ) -> Result<Commit<'c, Overtaken>, Again> {
        let now = self.world.now();
        for held in self.payments_of(invoice).await? {
            if let Decision::New(fact) = payment::close(&held.value, now) {
                let (with, next) = commit.payment(&held, &[fact])?;
                commit = with;
                let able = crate::capabilities(self.gateways, &held.value);
                let looks = (watched(&held.value), &next);
                self.world.table.payment_will_be_due(self.m, looks, able, now).await?;
            }
        }
        Ok(commit)
    }
}
