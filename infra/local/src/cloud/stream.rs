//! Table streams → functions: Lambda's event source mapping for DynamoDB.
//!
//! Owns the checkpoint of each source. Invariant: a checkpoint moves only past records that the function
//! took, that no filter wanted, or that were given up and told of; so a kill repeats a batch and never skips
//! one. There is one shard, therefore one order and one batch at a time per source.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::dynamo::{Dynamo, Record, sequence};
use super::queue::{Verdict, verdict};
use super::store::{New, Store};
use super::template::{StreamSource, arn, stream_arn};
use super::{CloudError, Inner, bus};

/// Rows read at once; a filter usually wants few of them.
const PAGE: usize = 500;
/// Records after which the stream is trimmed.
const TRIM_AFTER: usize = 4_000;
/// How often one call of an eager pump repeats a batch that may be repeated for ever.
const EAGER_ATTEMPTS: u32 = 10;

/// How far a source has read.
#[derive(Debug)]
pub(super) struct Reader {
    position: i64,
    /// The size of the next batch: halved by bisection, doubled by success.
    limit: usize,
    attempts: u32,
    /// When the record at its head failed first, from which its age is counted: the engine's own stamp on a record is
    /// the system's clock, not this cloud's.
    failing_since: Option<i64>,
    /// When a failed batch is tried again.
    pub(super) retry_at: Option<i64>,
    since_trim: usize,
    /// All was read, as of so many writes to tables.
    drained: Option<u64>,
}

/// What a pump did.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    pub(super) invocations: usize,
    pub(super) failures: usize,
}

impl Work {
    pub(super) fn add(&mut self, other: Self) {
        self.invocations = self.invocations.saturating_add(other.invocations);
        self.failures = self.failures.saturating_add(other.failures);
    }
}

fn mark(source: &StreamSource) -> String {
    format!("stream/{}", source.id)
}

impl Reader {
    pub(super) fn open(source: &StreamSource, store: &Store, dynamo: &Dynamo) -> Result<Self, CloudError> {
        let position = match store.mark(&mark(source)) {
            Some(position) => position,
            None => {
                let newest = dynamo.newest(&source.table).map_err(CloudError::Stream)?;
                let start = if source.from_the_start { 0 } else { newest };
                store.set_mark(&mark(source), start)?;
                start
            }
        };
        Ok(Self {
            position,
            limit: source.batch,
            attempts: 0,
            failing_since: None,
            retry_at: None,
            since_trim: 0,
            drained: None,
        })
    }
}

/// What became of a page.
enum Page {
    Done,
    Waiting,
}

impl Inner {
    /// Delivers what the stream holds; a failed batch waits for its time, unless the pump is eager.
    pub(super) async fn drain_stream(&self, source: &StreamSource, eager: bool) -> Result<Work, CloudError> {
        let mut work = Work::default();
        let Some(reader) = self.readers.get(&source.id) else { return Ok(work) };
        let mut reader = reader.lock().await;
        let patience = reader.attempts.saturating_add(EAGER_ATTEMPTS);
        loop {
            let waits = reader.retry_at.is_some_and(|at| at > self.time.millis());
            if waits && (!eager || reader.attempts >= patience) {
                break;
            }
            let writes = self.writes.load(Ordering::Acquire);
            if reader.drained == Some(writes) {
                break;
            }
            let _busy = self.busy();
            let page = self.dynamo.records(&source.table, reader.position, PAGE, &source.filters);
            let page = page.map_err(CloudError::Stream)?;
            let Some(last) = page.last().map(|record| record.position) else {
                (reader.retry_at, reader.drained) = (None, Some(writes));
                break;
            };
            let wanted = |record: &&Record| {
                let matches = |event: &Value| source.filters.iter().any(|filter| filter.matches(event));
                record.event.as_ref().is_some_and(|event| source.filters.is_empty() || matches(event))
            };
            let matching: Vec<&Record> = page.iter().filter(wanted).collect();
            match self.deliver_page(source, &mut reader, &matching, &mut work).await? {
                Page::Done => {
                    self.pass(source, &mut reader, last)?;
                    reader.since_trim = reader.since_trim.saturating_add(page.len());
                }
                Page::Waiting => {}
            }
            if reader.since_trim >= TRIM_AFTER {
                reader.since_trim = 0;
                self.trim(&source.table)?;
            }
        }
        Ok(work)
    }

    async fn deliver_page(
        &self,
        source: &StreamSource,
        reader: &mut Reader,
        matching: &[&Record],
        work: &mut Work,
    ) -> Result<Page, CloudError> {
        let mut rest = matching;
        while !rest.is_empty() {
            let (batch, after) = rest.split_at(reader.limit.clamp(1, rest.len()));
            work.invocations = work.invocations.saturating_add(1);
            let failed = match self.deliver(source, batch).await {
                Verdict::Done => batch.len(),
                Verdict::Failed(places) => places.into_iter().min().unwrap_or(0),
                Verdict::All => 0,
            };
            if let Some(record) = failed.checked_sub(1).and_then(|place| batch.get(place)) {
                self.pass(source, reader, record.position)?;
                reader.attempts = 0;
            }
            let left = batch.get(failed..).unwrap_or_default();
            rest = rest.get(failed..).unwrap_or_default();
            if left.is_empty() {
                reader.limit = reader.limit.saturating_mul(2).min(source.batch);
                continue;
            }
            work.failures = work.failures.saturating_add(1);
            if source.bisect && left.len() > 1 {
                reader.limit = left.len() / 2;
                continue;
            }
            reader.attempts = reader.attempts.saturating_add(1);
            let (now, exhausted) =
                (self.time.millis(), source.retries.is_some_and(|most| reader.attempts > most));
            let since = *reader.failing_since.get_or_insert(now);
            let old = source.age.is_some_and(|age| now.saturating_sub(since) >= age.saturating_mul(1_000));
            if exhausted || old {
                self.give_up(source, reader, left)?;
                rest = after;
                continue;
            }
            let pause = 1_000_i64.checked_shl(reader.attempts.min(6)).unwrap_or(60_000).min(60_000);
            reader.retry_at = Some(now.saturating_add(pause));
            return Ok(Page::Waiting);
        }
        Ok(Page::Done)
    }

    async fn deliver(&self, source: &StreamSource, batch: &[&Record]) -> Verdict {
        let from = stream_arn(&source.table);
        let records: Vec<Value> = batch
            .iter()
            .filter_map(|record| {
                let mut event = record.event.clone()?;
                if let Some(event) = event.as_object_mut() {
                    event.insert("eventSourceARN".to_owned(), from.as_str().into());
                }
                Some(event)
            })
            .collect();
        let ids: Vec<String> = batch.iter().map(|record| sequence(record.position)).collect();
        let answer = self.invoke(&source.function, json!({ "Records": records })).await;
        if let Err(error) = &answer {
            tracing::warn!(function = source.function, error, records = batch.len(), "a stream batch failed");
        }
        verdict(answer, &ids, source.partial)
    }

    fn pass(&self, source: &StreamSource, reader: &mut Reader, position: i64) -> Result<(), CloudError> {
        reader.position = position;
        (reader.retry_at, reader.failing_since) = (None, None);
        self.store.set_mark(&mark(source), position)?;
        Ok(())
    }

    /// Tells the failure destination of records that will not be tried again, as pointers into the stream.
    fn give_up(
        &self,
        source: &StreamSource,
        reader: &mut Reader,
        left: &[&Record],
    ) -> Result<(), CloudError> {
        let (Some(first), Some(last)) = (left.first(), left.last()) else { return Ok(()) };
        tracing::error!(function = source.function, records = left.len(), "stream records are given up");
        let now = self.time.now();
        let arrival = |record: &Record| {
            let created = |event: &Value| event.pointer("/dynamodb/ApproximateCreationDateTime")?.as_i64();
            let seconds = record.event.as_ref().and_then(created);
            seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok()).unwrap_or(now)
        };
        let function = self.template.function(&source.function).map(|function| function.arn.as_str());
        let body = json!({
            "requestContext": {
                "requestId": self.next_id(),
                "functionArn": function.unwrap_or_default(),
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": reader.attempts,
            },
            "responseContext": {
                "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
            },
            "version": "1.0",
            "timestamp": bus::whole_seconds(now),
            "DDBStreamBatchInfo": {
                "shardId": "shardId-00000000000000000000-00000000",
                "startSequenceNumber": sequence(first.position),
                "endSequenceNumber": sequence(last.position),
                "approximateArrivalOfFirstRecord": bus::whole_seconds(arrival(first)),
                "approximateArrivalOfLastRecord": bus::whole_seconds(arrival(last)),
                "batchSize": left.len(),
                "streamArn": stream_arn(&source.table),
            },
        });
        if let Some(queue) = &source.on_failure {
            self.send(&[New { queue: queue.clone(), body: body.to_string(), ..New::default() }])?;
        }
        reader.attempts = 0;
        reader.limit = source.batch;
        self.pass(source, reader, last.position)
    }

    /// Forgets records that every source of the table has passed.
    pub(super) fn trim(&self, table: &str) -> Result<(), CloudError> {
        let mut before = None;
        for source in self.template.streams.iter().filter(|source| source.table == table) {
            let position = self.store.mark(&mark(source)).unwrap_or_default();
            before = Some(before.map_or(position, |known: i64| known.min(position)));
        }
        let before = match before {
            Some(before) => before,
            None => self.dynamo.newest(table).map_err(CloudError::Stream)?,
        };
        tracing::debug!(table = arn("dynamodb", table), before, "the stream is trimmed");
        self.dynamo.trim(table, before).map_err(CloudError::Stream)
    }
}
