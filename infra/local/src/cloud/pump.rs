//! What keeps things moving: until all is quiet, along the clock, or in the background.
//!
//! `settle` works until nothing is deliverable now. `advance` moves the clock from one due thing to the next
//! and settles at each. `run_until_stopped` does the same by the clock that runs, woken by new work.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::store::{Depth, New};
use super::stream::Work;
use super::template::{ACCOUNT, QueueSource, REGION, Schedule, StreamSource, Template, arn};
use super::{Cloud, CloudError, DueAt, Inner, Pace, bus, sqs};

/// Nothing sleeps longer without a look around.
const LONGEST_SLEEP: Duration = Duration::from_secs(600);

/// Old messages are looked for so often.
const SWEEP_MS: i64 = 3_600_000;

/// How a cloud came to rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    /// Functions invoked by streams, queues and schedules.
    pub invocations: usize,
    /// Those of them that failed, in whole or in part.
    pub failures: usize,
    /// Messages that wait for their visibility time-out or delay, in queues that a function reads.
    pub waiting: usize,
    /// Messages in dead-letter queues.
    pub dead: usize,
    /// Streams whose next batch failed and waits to be tried again.
    pub stuck_streams: usize,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The dead-letter queue it lies in.
    pub queue: String,
    /// The queue it failed in; `None` if it was sent here directly, as failed stream batches are.
    pub origin: Option<String>,
    /// Its id.
    pub id: String,
    /// Its body.
    pub body: String,
    /// When it was sent first.
    pub sent: Timestamp,
}

/// Wakes the background tasks: one bell per source, and one for the clock.
#[derive(Debug)]
pub(super) struct Bells {
    sources: BTreeMap<String, Notify>,
    by_queue: BTreeMap<String, Vec<String>>,
    streams: Vec<String>,
    clock: Notify,
}

impl Bells {
    pub(super) fn new(template: &Template) -> Self {
        let mut by_queue: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for source in &template.consumers {
            by_queue.entry(source.queue.clone()).or_default().push(source.id.clone());
        }
        let streams: Vec<String> = template.streams.iter().map(|source| source.id.clone()).collect();
        let ids = template.consumers.iter().map(|source| source.id.clone()).chain(streams.iter().cloned());
        Self { sources: ids.map(|id| (id, Notify::new())).collect(), by_queue, streams, clock: Notify::new() }
    }

    /// A queue has new messages.
    pub(super) fn ring(&self, queue: &str) {
        self.wake(self.by_queue.get(queue).into_iter().flatten());
    }

    /// A table was written.
    pub(super) fn ring_streams(&self) {
        self.wake(&self.streams);
    }

    pub(super) fn ring_all(&self) {
        self.sources.values().for_each(Notify::notify_one);
        self.clock.notify_one();
    }

    fn wake<'a>(&self, ids: impl IntoIterator<Item = &'a String>) {
        ids.into_iter().filter_map(|id| self.sources.get(id)).for_each(Notify::notify_one);
    }
}

/// Somebody works while this lives.
pub(super) struct Busy<'a>(&'a Inner);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.working.fetch_sub(1, Ordering::AcqRel);
        self.0.done.notify_waiters();
    }
}

/// What can be worked on by itself.
pub(super) enum Source {
    Stream(StreamSource),
    Queue(QueueSource),
}

pub(super) fn sources(template: &Template) -> Vec<Arc<Source>> {
    let streams = template.streams.iter().cloned().map(Source::Stream);
    streams.chain(template.consumers.iter().cloned().map(Source::Queue)).map(Arc::new).collect()
}

/// A function that dozes: see [`Cloud::doze`].
pub(super) struct Doze {
    partitions: String,
    due_at: DueAt,
    /// When there is something to do, in milliseconds; outer none after a write.
    known: Option<Option<i64>>,
}

impl Doze {
    pub(super) fn new(partitions: String, due_at: DueAt) -> Self {
        Self { partitions, due_at, known: None }
    }
}

/// By function, when its schedule has something to do: see [`Cloud::doze`].
pub(super) type Roused = BTreeMap<String, Option<i64>>;

pub(super) fn schedule_mark(schedule: &Schedule) -> String {
    format!("schedule/{}", schedule.id)
}

impl Cloud {
    /// Delivers until nothing is deliverable now. What waits for a later time on the clock stays waiting.
    ///
    /// Not to be called from a handler: it waits for all of them.
    ///
    /// # Errors
    /// If the store or the tables fail.
    pub async fn settle(&self) -> Result<Settled, CloudError> {
        self.inner.settle(false).await
    }

    /// As [`Cloud::settle`], and what failed is tried again at once, until it went well or was given up.
    ///
    /// # Errors
    /// As [`Cloud::settle`].
    pub async fn settle_with_retries(&self) -> Result<Settled, CloudError> {
        self.inner.settle(true).await
    }

    /// Moves the clock on, stopping at every schedule, time-out and repetition on the way.
    ///
    /// # Errors
    /// As [`Cloud::settle`].
    pub async fn advance(&self, by: SignedDuration) -> Result<Settled, CloudError> {
        let jump = |millis| {
            self.inner.time.advance_to(millis);
            std::future::ready(())
        };
        self.inner.advance(by, jump).await
    }

    /// As [`Cloud::advance`] on a clock that does not jump: `pass` waits until it is so late.
    ///
    /// # Errors
    /// As [`Cloud::settle`].
    pub async fn go_on<Passing: Future<Output = ()>>(
        &self,
        by: SignedDuration,
        pass: impl Fn(Timestamp) -> Passing,
    ) -> Result<Settled, CloudError> {
        let at = |millis| Timestamp::from_millisecond(millis).unwrap_or_default();
        self.inner.advance(by, |millis| pass(at(millis))).await
    }

    /// Works in the background until `stop` resolves.
    ///
    /// # Errors
    /// None at present: a failing source is logged and tried again.
    pub async fn run_until_stopped(&self, stop: impl Future<Output = ()> + Send) -> Result<(), CloudError> {
        let mut tasks = JoinSet::new();
        for source in &self.inner.sources {
            let (inner, source) = (Arc::clone(&self.inner), Arc::clone(source));
            tasks.spawn(async move { inner.run_source(&source).await });
        }
        let inner = Arc::clone(&self.inner);
        tasks.spawn(async move { inner.run_schedules().await });
        stop.await;
        tasks.shutdown().await;
        Ok(())
    }

    /// What lies in dead-letter queues, oldest first within a queue.
    ///
    /// # Errors
    /// If the store fails.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>, CloudError> {
        let mut letters = Vec::new();
        for queue in self.inner.dead_letter_queues() {
            for message in self.inner.store.peek(&queue, u32::MAX)? {
                letters.push(DeadLetter {
                    queue: queue.clone(),
                    origin: message.origin,
                    id: sqs::message_id(message.id),
                    body: message.body,
                    sent: Timestamp::from_millisecond(message.sent).unwrap_or_default(),
                });
            }
        }
        Ok(letters)
    }

    /// Sends the messages of a dead-letter queue back to where they failed; answers how many. What was sent
    /// there directly, such as pointers of stream batches, stays.
    ///
    /// # Errors
    /// If there is no such dead-letter queue or the store fails.
    pub fn replay_dead_letters(&self, queue: &str) -> Result<usize, CloudError> {
        if !self.inner.dead_letter_queues().iter().any(|known| known == queue) {
            return Err(CloudError::NoSuch(format!("dead-letter queue {queue}")));
        }
        let moved = self.inner.store.move_back(queue, None, self.inner.time.millis())?;
        self.inner.ring_all();
        Ok(moved)
    }

    /// Messages visible, hidden and delayed in a queue.
    ///
    /// # Errors
    /// If the template has no such queue or the store fails.
    pub fn queue_depth(&self, queue: &str) -> Result<(i64, i64, i64), CloudError> {
        if !self.inner.template.queues.contains_key(queue) {
            return Err(CloudError::NoSuch(format!("queue {queue}")));
        }
        let Depth { visible, hidden, delayed } = self.inner.store.depth(queue, self.inner.time.millis())?;
        Ok((visible, hidden, delayed))
    }
}

impl Inner {
    pub(super) fn busy(&self) -> Busy<'_> {
        self.working.fetch_add(1, Ordering::AcqRel);
        Busy(self)
    }

    /// A table was written.
    pub(super) fn wrote(&self, body: &[u8]) {
        self.writes.fetch_add(1, Ordering::AcqRel);
        let body = std::str::from_utf8(body).unwrap_or_default();
        for doze in lock(&self.dozing).values_mut().filter(|doze| body.contains(&doze.partitions)) {
            doze.known = None;
        }
        self.bells.ring_streams();
    }

    async fn drain(self: &Arc<Self>, source: &Source, eager: bool) -> Result<Work, CloudError> {
        match source {
            Source::Stream(source) => self.drain_stream(source, eager).await,
            Source::Queue(source) => self.drain_queue(source).await,
        }
    }

    async fn settle(self: &Arc<Self>, eager: bool) -> Result<Settled, CloudError> {
        let work = self.quiet_down(eager).await?;
        self.settled(work).await
    }

    async fn quiet_down(self: &Arc<Self>, eager: bool) -> Result<Work, CloudError> {
        let mut total = Work::default();
        loop {
            let quiet = self.done.notified();
            let round = self.round(eager).await?;
            total.add(round);
            let revealed = if eager { self.reveal()? } else { 0 };
            if round.invocations > 0 || revealed > 0 {
                continue;
            }
            if self.working.load(Ordering::Acquire) == 0 {
                return Ok(total);
            }
            // The background works on something that may make more work.
            let _ = tokio::time::timeout(Duration::from_millis(50), quiet).await;
        }
    }

    async fn round(self: &Arc<Self>, eager: bool) -> Result<Work, CloudError> {
        let mut work = Work::default();
        if self.pace == Pace::Ordered {
            for source in &self.sources {
                work.add(self.drain(source, eager).await?);
            }
            return Ok(work);
        }
        let ready = self.store.ready_queues(self.time.millis())?;
        let full = |source: &&Arc<Source>| match source.as_ref() {
            Source::Stream(_) => true,
            Source::Queue(source) => ready.contains(&source.queue),
        };
        let mut tasks = JoinSet::new();
        for source in self.sources.iter().filter(full) {
            let (inner, source) = (Arc::clone(self), Arc::clone(source));
            tasks.spawn(async move { inner.drain(&source, eager).await });
        }
        while let Some(done) = tasks.join_next().await {
            let done = done.unwrap_or_else(|error| Err(CloudError::Unwired(error.to_string())));
            work.add(done?);
        }
        Ok(work)
    }

    /// Makes failed messages visible; only where a dead-letter queue puts an end to it.
    fn reveal(&self) -> Result<usize, CloudError> {
        let mut revealed = 0_usize;
        let now = self.time.millis();
        for source in &self.template.consumers {
            let ends = self.template.queues.get(&source.queue).is_some_and(|queue| queue.redrive.is_some());
            if ends {
                revealed = revealed.saturating_add(self.store.reveal(&source.queue, now)?);
            }
        }
        Ok(revealed)
    }

    async fn settled(&self, work: Work) -> Result<Settled, CloudError> {
        self.dynamo.catch_up();
        let now = self.time.millis();
        let count = |messages: i64| usize::try_from(messages).unwrap_or_default();
        let mut settled =
            Settled { invocations: work.invocations, failures: work.failures, ..Settled::default() };
        let depths = self.store.depths(now)?;
        let depth = |queue: &String| depths.get(queue).copied().unwrap_or_default();
        for source in &self.template.consumers {
            let depth = depth(&source.queue);
            settled.waiting =
                settled.waiting.saturating_add(count(depth.hidden.saturating_add(depth.delayed)));
        }
        for queue in self.dead_letter_queues() {
            let depth = depth(&queue);
            let all = depth.visible.saturating_add(depth.hidden).saturating_add(depth.delayed);
            settled.dead = settled.dead.saturating_add(count(all));
        }
        for reader in self.readers.values() {
            let waits = reader.lock().await.retry_at.is_some();
            settled.stuck_streams = settled.stuck_streams.saturating_add(usize::from(waits));
        }
        Ok(settled)
    }

    fn dead_letter_queues(&self) -> Vec<String> {
        let redrive = self.template.queues.values().filter_map(|queue| queue.redrive.as_ref());
        let streams = self.template.streams.iter().filter_map(|source| source.on_failure.clone());
        let schedules = self.template.schedules.iter().filter_map(|schedule| schedule.dead_letters.clone());
        let mut all: Vec<String> =
            redrive.map(|(dead, _)| dead.clone()).chain(streams).chain(schedules).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    async fn advance<Passing: Future<Output = ()>>(
        self: &Arc<Self>,
        by: SignedDuration,
        pass: impl Fn(i64) -> Passing,
    ) -> Result<Settled, CloudError> {
        let target = self.time.millis().saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
        let mut total = self.quiet_down(false).await?;
        while let Some(next) = self.next_due(&self.roused()?).await?.filter(|next| *next <= target) {
            pass(next).await;
            let now = next.max(self.time.millis());
            self.pass_over(&self.roused()?, now)?;
            total.add(self.fire_due(now).await?);
            total.add(self.quiet_down(false).await?);
        }
        pass(target).await;
        self.pass_over(&self.roused()?, target)?;
        self.expire(self.time.millis())?;
        self.ring_all();
        total.add(self.quiet_down(false).await?);
        self.settled(total).await
    }

    /// Drops messages that are older than their queue keeps them; looks every hour.
    fn expire(&self, now: i64) -> Result<(), CloudError> {
        if now.saturating_sub(self.swept.load(Ordering::Acquire)) < SWEEP_MS {
            return Ok(());
        }
        self.swept.store(now, Ordering::Release);
        for queue in self.template.queues.values() {
            let gone = self.store.expire(queue, now)?;
            if gone > 0 {
                tracing::warn!(queue = queue.name, gone, "messages have reached the end of their retention");
            }
        }
        Ok(())
    }

    /// When the next schedule, time-out or repetition is due; what is overdue counts.
    async fn next_due(&self, roused: &Roused) -> Result<Option<i64>, CloudError> {
        let mut next = self.next_occurrence(roused)?.map(|(at, _)| at);
        let now = self.time.millis();
        let visible = self.store.all_next_visible(now)?;
        for source in &self.template.consumers {
            next = earlier(next, visible.get(&source.queue).copied());
        }
        for reader in self.readers.values() {
            next = earlier(next, reader.lock().await.retry_at);
        }
        Ok(next)
    }

    /// When those who doze have something to do.
    fn roused(&self) -> Result<Roused, CloudError> {
        let mut roused = Roused::new();
        for (function, doze) in lock(&self.dozing).iter_mut() {
            let due = match doze.known {
                Some(due) => due,
                None => {
                    let tables = self.template.tables.iter();
                    let first = tables.map(|table| self.dynamo.first(&table.name, &doze.partitions));
                    let first = first.collect::<Result<Vec<_>, _>>()?.into_iter().flatten();
                    first.filter_map(|key| (doze.due_at)(&key)).min().map(Timestamp::as_millisecond)
                }
            };
            doze.known = Some(due);
            roused.insert(function.clone(), due);
        }
        Ok(roused)
    }

    /// Takes runs up to a time for done that would have found nothing to do.
    fn pass_over(&self, roused: &Roused, until: i64) -> Result<(), CloudError> {
        for schedule in &self.template.schedules {
            let Some(first) = roused.get(&schedule.function) else { continue };
            let idle = first.map_or(until, |first| until.min(first.saturating_sub(1)));
            let mark = schedule_mark(schedule);
            let last = self.store.mark(&mark).unwrap_or_default();
            let passed = schedule.when.passed(last, idle);
            if passed > last {
                self.store.set_mark(&mark, passed)?;
            }
        }
        Ok(())
    }

    /// The first occurrence of any schedule that has not run and has something to do.
    fn next_occurrence(&self, roused: &Roused) -> Result<Option<(i64, &Schedule)>, CloudError> {
        let mut first: Option<(i64, &Schedule)> = None;
        for schedule in self.template.schedules.iter().filter(|schedule| schedule.enabled) {
            let mut last = self.store.mark(&schedule_mark(schedule)).unwrap_or_default();
            match roused.get(&schedule.function) {
                Some(None) => continue,
                Some(Some(due)) => last = schedule.when.passed(last, due.saturating_sub(1)),
                None => {}
            }
            let last = Timestamp::from_millisecond(last).unwrap_or_default();
            let Some(at) = schedule.when.next(last).map(|next| next.as_millisecond()) else { continue };
            if first.is_none_or(|(known, _)| at < known) {
                first = Some((at, schedule));
            }
        }
        Ok(first)
    }

    /// Runs every occurrence up to a time, in order, each with its own scheduled time.
    async fn fire_due(&self, until: i64) -> Result<Work, CloudError> {
        let _one_at_a_time = self.scheduler.lock().await;
        let mut work = Work::default();
        while let Some((at, schedule)) = self.next_occurrence(&Roused::new())?.filter(|(at, _)| *at <= until)
        {
            let _busy = self.busy();
            work.add(self.fire(schedule, at).await?);
            self.store.set_mark(&schedule_mark(schedule), at)?;
        }
        Ok(work)
    }

    async fn fire(&self, schedule: &Schedule, at: i64) -> Result<Work, CloudError> {
        let time = bus::whole_seconds(Timestamp::from_millisecond(at).unwrap_or_default());
        let mut work = Work::default();
        for attempt in 0..=schedule.retries {
            work.invocations = work.invocations.saturating_add(1);
            self.meter.uses(&schedule.function, |used| used.scheduled = used.scheduled.saturating_add(1));
            let event = scheduled_event(schedule, &time, attempt, &self.next_id());
            let Err(error) = self.invoke(&schedule.function, event).await else { return Ok(work) };
            work.failures = work.failures.saturating_add(1);
            tracing::error!(function = schedule.function, time, attempt, error, "a scheduled run failed");
        }
        if let Some(queue) = &schedule.dead_letters {
            let body = scheduled_event(schedule, &time, schedule.retries, &self.next_id()).to_string();
            self.send(&[New { queue: queue.clone(), body, ..New::default() }])?;
        }
        Ok(work)
    }

    async fn run_source(self: &Arc<Self>, source: &Source) {
        let (id, window) = match source {
            Source::Stream(source) => (&source.id, source.window),
            Source::Queue(source) => (&source.id, source.window),
        };
        let window = Duration::from_secs(u64::from(window));
        loop {
            let pause = match self.drain(source, false).await {
                Ok(_) => self.until_due(self.source_due(source).await),
                Err(error) => {
                    tracing::error!(source = id, error = &error as &dyn std::error::Error, "a source failed");
                    Duration::from_secs(1)
                }
            };
            match self.bells.sources.get(id) {
                Some(bell) => {
                    let rung = tokio::time::timeout(pause, bell.notified()).await;
                    if rung.is_ok() && !window.is_zero() {
                        tokio::time::sleep(window).await;
                    }
                }
                None => tokio::time::sleep(pause).await,
            }
        }
    }

    async fn source_due(&self, source: &Source) -> Option<i64> {
        match source {
            Source::Queue(source) => {
                self.store.next_visible(&source.queue, self.time.millis()).ok().flatten()
            }
            Source::Stream(source) => self.readers.get(&source.id)?.lock().await.retry_at,
        }
    }

    async fn run_schedules(&self) {
        loop {
            let now = self.time.millis();
            let fired = async {
                self.pass_over(&self.roused()?, now)?;
                self.fire_due(now).await
            };
            let due = match fired.await {
                Ok(_) => self.next_occurrence(&Roused::new()).ok().flatten().map(|(at, _)| at),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the schedules failed");
                    Some(now.saturating_add(1_000))
                }
            };
            if let Err(error) = self.expire(now) {
                tracing::error!(error = &error as &dyn std::error::Error, "old messages stay");
            }
            let _ = tokio::time::timeout(self.until_due(due), self.bells.clock.notified()).await;
        }
    }

    /// How long to sleep; never nothing, or a clock that stands would make a hot loop.
    fn until_due(&self, due: Option<i64>) -> Duration {
        let missing = due.map_or(i64::MAX, |due| due.saturating_sub(self.time.millis()));
        let missing = Duration::from_millis(u64::try_from(missing).unwrap_or_default());
        missing.clamp(Duration::from_millis(5), LONGEST_SLEEP)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn scheduled_event(schedule: &Schedule, time: &str, attempt: u32, id: &str) -> Value {
    let name = schedule.id.replace('/', "");
    let own = arn("scheduler", &format!("schedule/default/{name}"));
    match &schedule.input {
        Some(input) => {
            let text = input
                .replace("<aws.scheduler.scheduled-time>", time)
                .replace("<aws.scheduler.schedule-arn>", &own)
                .replace("<aws.scheduler.execution-id>", id)
                .replace("<aws.scheduler.attempt-number>", &attempt.saturating_add(1).to_string());
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        }
        None => json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": time,
            "region": REGION,
            "resources": [own],
            "detail": "{}",
        }),
    }
}
