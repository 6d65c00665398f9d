//! DynamoDB: the embedded engine behind the SDK's JSON protocol, and the stream under it.
//!
//! Owns dispatch, idempotency tokens, metering and the stream's rows. Two traps of the engine are cured here:
//! its unindexed `MAX()` over stream records, which an index of ours answers, and its token cache, which is
//! searched from end to end by every transaction, so tokens are kept here and never reach it. Malformed input
//! is an answer in AWS's words, never a panic.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dynoxide::types::ConsumedCapacity;
use dynoxide::{Database, DynoxideError, actions as op};
use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::lag::{Lag, Lags};
use super::meter::{Meter, Units, hundredths};
use super::pattern::Pattern;
use super::protocol::Answer;
use super::template::{REGION, Table};

/// Why the tables could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The engine refused.
    #[error("the table {table} cannot be opened: {why}")]
    Engine {
        /// Its name.
        table: String,
        /// The engine's words.
        why: String,
    },
    /// The file below failed.
    #[error("the tables' file failed")]
    File(#[from] rusqlite::Error),
}

/// Tokens remembered; the SDK repeats within seconds, AWS forgets after ten minutes.
const TOKENS: usize = 1_024;
/// Rows trimmed at once, so that no request waits for a long delete.
const TRIMMED_AT_ONCE: i64 = 2_000;

pub(super) struct Dynamo {
    engine: Database,
    /// Our own door to the engine's file: stream rows are read, and trimmed, without its lock.
    side: Mutex<Connection>,
    /// Keeps our writes and the engine's apart, so that neither waits in SQLite's busy handler.
    gate: Mutex<()>,
    tokens: Mutex<Tokens>,
    /// None while indexes are as quick as the engine's.
    lag: Mutex<Option<Lag>>,
    meter: Arc<Meter>,
}

impl std::fmt::Debug for Dynamo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dynamo").finish_non_exhaustive()
    }
}

/// A stream record as a function gets it.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Its place in the stream.
    pub(super) position: i64,
    /// The event without its source's ARN; none where no filter can want it.
    pub(super) event: Option<Value>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dynamo {
    pub(super) fn open(
        path: &Path,
        durable: bool,
        tables: &[Table],
        meter: Arc<Meter>,
    ) -> Result<Self, TableError> {
        let refused = |table: &str, why: DynoxideError| TableError::Engine {
            table: table.into(),
            why: why.to_string(),
        };
        let engine = Database::new(&path.to_string_lossy()).map_err(|why| refused("(file)", why))?;
        // The engine leaves SQLite's default, a flush to disk on every commit. Its "normal" setting survives
        // a kill as well; its "bulk" setting does not flush at all.
        let setting = if durable { engine.disable_bulk_loading() } else { engine.enable_bulk_loading() };
        setting.map_err(|why| refused("(file)", why))?;
        for table in tables {
            create(&engine, table).map_err(|why| refused(&table.name, why))?;
        }
        let side = Connection::open(path)?;
        side.busy_timeout(Duration::from_secs(5))?;
        side.pragma_update(None, "synchronous", if durable { "NORMAL" } else { "OFF" })?;
        side.execute_batch(
            "CREATE INDEX IF NOT EXISTS souk_stream_records
             ON _stream_records (table_name, CAST(sequence_number AS INTEGER))",
        )?;
        let tokens = Mutex::new(Tokens::default());
        let (side, gate, lag) = (Mutex::new(side), Mutex::new(()), Mutex::new(None));
        Ok(Self { engine, side, gate, tokens, lag, meter })
    }

    /// From now on what lags shows the tables as they were so many writes ago, or at the last
    /// [`catch_up`](Self::catch_up).
    pub(super) fn lag(&self, what: Lags, writes: usize, tables: &[Table]) -> Result<(), TableError> {
        let _gate = lock(&self.gate);
        let lag = Lag::new(what, writes, tables, &self.engine)
            .map_err(|why| TableError::Engine { table: "(indexes)".to_owned(), why: why.to_string() })?;
        *lock(&self.lag) = Some(lag);
        Ok(())
    }

    /// All is quiet: what lags shows what is there.
    pub(super) fn catch_up(&self) {
        if let Some(lag) = lock(&self.lag).as_mut() {
            lag.catch_up();
        }
    }

    /// Answers one request of the JSON protocol.
    pub(super) fn answer(&self, operation: &str, body: &[u8], label: &str) -> Answer {
        let known = if operation == "TransactWriteItems" { self.transact(body, label) } else { None };
        known.unwrap_or_else(|| match self.dispatch(operation, body, label) {
            Ok(body) => Answer::ok(body),
            Err(Failure::Unknown) => {
                Answer::error(400, "com.amazon.coral.service#UnknownOperationException", "")
            }
            Err(Failure::Unreadable(error)) => Answer::raw(400, unreadable(&error)),
            Err(Failure::Engine(error)) => Answer::raw(error.status_code(), error.to_json()),
        })
    }

    /// A transaction with a token; `None` if it has none or cannot be read, which the engine then says
    /// better.
    fn transact(&self, body: &[u8], label: &str) -> Option<Answer> {
        let mut request: op::transact_write_items::TransactWriteItemsRequest =
            serde_json::from_slice(body).ok()?;
        let token = request.client_request_token.take().filter(|token| (1..=36).contains(&token.len()))?;
        request.return_consumed_capacity = Some("TOTAL".to_owned());
        // Held over the call: a repetition that overtakes its original must wait for its outcome.
        let mut tokens = lock(&self.tokens);
        if let Some((known, answer)) = tokens.answers.get(&token) {
            self.meter.count(label, "TransactWriteItems", Some(Units::default()));
            return Some(if same_items(known, body) { Answer::ok(answer.clone()) } else { mismatch() });
        }
        let answer = self.run("TransactWriteItems", body, || self.engine.transact_write_items(request));
        let write = answer.as_ref().ok().map(|answer| answer.consumed_capacity.total());
        let units = write.map(|write| Units { write, ..Units::default() });
        self.meter.count(label, "TransactWriteItems", units);
        match answer {
            Ok(answer) => {
                let answer = serde_json::to_string(&answer).unwrap_or_else(|_| "{}".to_owned());
                tokens.remember(token, body.to_vec(), answer.clone());
                Some(Answer::ok(answer))
            }
            Err(error) => Some(Answer::raw(error.status_code(), error.to_json())),
        }
    }

    fn dispatch(&self, operation: &str, body: &[u8], label: &str) -> Result<String, Failure> {
        let engine = self.engine_for(operation, body)?;
        /// Asks for the capacity, calls the engine, counts.
        macro_rules! metered {
            ($request:path, $call:ident, $kind:ident) => {{
                let mut request: $request = parse(body)?;
                if request.return_consumed_capacity.as_deref().is_none_or(|mode| mode == "NONE") {
                    request.return_consumed_capacity = Some("TOTAL".to_owned());
                }
                let answer = self.run(operation, body, || engine.$call(request));
                let units = answer.as_ref().ok().map(|answer| answer.consumed_capacity.total());
                let units = units.map(|units| Units { $kind: units, ..Units::default() });
                self.meter.count(label, operation, units);
                write(&answer?)
            }};
        }
        macro_rules! plain {
            ($call:ident) => {{
                let request = parse(body)?;
                let answer = self.run(operation, body, || engine.$call(request));
                self.meter.count(label, operation, answer.as_ref().ok().map(|_| Units::default()));
                write(&answer?)
            }};
        }
        match operation {
            "GetItem" => metered!(op::get_item::GetItemRequest, get_item, read),
            "Query" => metered!(op::query::QueryRequest, query, read),
            "Scan" => metered!(op::scan::ScanRequest, scan, read),
            "BatchGetItem" => metered!(op::batch_get_item::BatchGetItemRequest, batch_get_item, read),
            "TransactGetItems" => {
                metered!(op::transact_get_items::TransactGetItemsRequest, transact_get_items, read)
            }
            "PutItem" => metered!(op::put_item::PutItemRequest, put_item, write),
            "UpdateItem" => metered!(op::update_item::UpdateItemRequest, update_item, write),
            "DeleteItem" => metered!(op::delete_item::DeleteItemRequest, delete_item, write),
            "BatchWriteItem" => {
                metered!(op::batch_write_item::BatchWriteItemRequest, batch_write_item, write)
            }
            "TransactWriteItems" => {
                metered!(op::transact_write_items::TransactWriteItemsRequest, transact_write_items, write)
            }
            "CreateTable" => plain!(create_table),
            "DeleteTable" => plain!(delete_table),
            "DescribeTable" => plain!(describe_table),
            "ListTables" => plain!(list_tables),
            "UpdateTable" => plain!(update_table),
            "ListStreams" => plain!(list_streams),
            "DescribeStream" => plain!(describe_stream),
            "GetShardIterator" => plain!(get_shard_iterator),
            "GetRecords" => plain!(get_records),
            "UpdateTimeToLive" => plain!(update_time_to_live),
            "DescribeTimeToLive" => plain!(describe_time_to_live),
            "ExecuteStatement" => plain!(execute_statement),
            "ExecuteTransaction" => plain!(execute_transaction),
            "BatchExecuteStatement" => plain!(batch_execute_statement),
            "TagResource" => plain!(tag_resource),
            "UntagResource" => plain!(untag_resource),
            "ListTagsOfResource" => plain!(list_tags_of_resource),
            _ => Err(Failure::Unknown),
        }
    }

    /// Calls an engine; a write is kept for what lags, in the order of the commits.
    fn run<T>(
        &self,
        operation: &str,
        body: &[u8],
        call: impl FnOnce() -> Result<T, DynoxideError>,
    ) -> Result<T, DynoxideError> {
        let _gate = lock(&self.gate);
        let answer = call()?;
        if writes(operation)
            && let Some(lag) = lock(&self.lag).as_mut()
        {
            lag.wrote(operation, body);
        }
        Ok(answer)
    }

    /// The engine itself, or what is seen of it by whoever asks for nothing newer.
    fn engine_for(&self, operation: &str, body: &[u8]) -> Result<Database, DynoxideError> {
        match lock(&self.lag).as_mut() {
            Some(lag) if lag.concerns(operation, body) => lag.view(),
            Some(_) | None => Ok(self.engine.clone()),
        }
    }

    /// Every item of a table in DynamoDB's JSON, read past the engine.
    pub(super) fn items(&self, table: &str) -> Result<Vec<String>, TableError> {
        let sql = format!("SELECT item_json FROM {} ORDER BY pk, sk", quoted(table));
        let side = lock(&self.side);
        let mut statement = side.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The first sort key of a table in the partitions whose keys begin so, read past the engine.
    pub(super) fn first(&self, table: &str, partitions: &str) -> Result<Option<String>, TableError> {
        // The engine writes a key's type before its text.
        let sql =
            format!("SELECT MIN(sk) FROM {} WHERE pk > 'S:' || ?1 AND pk < 'S:' || ?1 || '~'", quoted(table));
        let side = lock(&self.side);
        let first: Option<String> = side.prepare_cached(&sql)?.query_row([partitions], |row| row.get(0))?;
        Ok(first.and_then(|key| Some(key.strip_prefix("S:")?.to_owned())))
    }

    /// Up to `limit` stream records of a table after a position, oldest first. A transaction leaves a record per item
    /// and a filter wants few of them: what none can want is not read as JSON.
    pub(super) fn records(
        &self,
        table: &str,
        after: i64,
        limit: usize,
        filters: &[Pattern],
    ) -> Result<Vec<Record>, rusqlite::Error> {
        let side = lock(&self.side);
        let mut statement = side.prepare_cached(
            "SELECT CAST(sequence_number AS INTEGER), event_name, keys_json, new_image, old_image, event_id,
                    created_at, user_identity
             FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
             ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![table, after, limit], |row| record(row, filters))?;
        rows.collect()
    }

    /// The position of the newest record.
    pub(super) fn newest(&self, table: &str) -> Result<i64, rusqlite::Error> {
        let sql = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) FROM _stream_records
                   WHERE table_name = ?1";
        lock(&self.side).prepare_cached(sql)?.query_row([table], |row| row.get(0))
    }

    /// Forgets records before a position. The one at it stays, so that the engine's numbers go on from there.
    pub(super) fn trim(&self, table: &str, before: i64) -> Result<(), rusqlite::Error> {
        let sql = "DELETE FROM _stream_records WHERE id IN (
                       SELECT id FROM _stream_records
                       WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < ?2
                       ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3)";
        loop {
            let _gate = lock(&self.gate);
            let gone =
                lock(&self.side).prepare_cached(sql)?.execute(params![table, before, TRIMMED_AT_ONCE])?;
            if i64::try_from(gone).is_ok_and(|gone| gone < TRIMMED_AT_ONCE) {
                return Ok(());
            }
        }
    }
}

/// A table's name in SQL.
fn quoted(table: &str) -> String {
    format!("\"{}\"", table.replace('"', "\"\""))
}

/// Whether an operation changes a table.
pub(super) fn writes(operation: &str) -> bool {
    matches!(
        operation,
        "TransactWriteItems"
            | "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "ExecuteStatement"
            | "ExecuteTransaction"
            | "BatchExecuteStatement"
    )
}

pub(super) fn create(engine: &Database, table: &Table) -> Result<(), DynoxideError> {
    let unreadable = |error: serde_json::Error| DynoxideError::SerializationException(error.to_string());
    let request = serde_json::from_value(table.definition.clone()).map_err(unreadable)?;
    match engine.create_table(request) {
        Ok(_) => {}
        Err(DynoxideError::ResourceInUseException(_)) => {}
        Err(error) => return Err(error),
    }
    if let Some(attribute) = &table.ttl {
        let specification = json!({ "AttributeName": attribute, "Enabled": true });
        let request = json!({ "TableName": table.name, "TimeToLiveSpecification": specification });
        engine.update_time_to_live(serde_json::from_value(request).map_err(unreadable)?)?;
    }
    Ok(())
}

fn record(row: &rusqlite::Row<'_>, filters: &[Pattern]) -> rusqlite::Result<Record> {
    let position: i64 = row.get(0)?;
    let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
    let (name, keys) = (text(1)?.unwrap_or_default(), text(2)?.unwrap_or_default());
    let (new, old) = (text(3)?, text(4)?);
    let contains = |piece: &str| {
        piece.get(1..piece.len().saturating_sub(1)) == Some(name)
            || [Some(keys), new, old].into_iter().flatten().any(|text| text.contains(piece))
    };
    if !filters.is_empty() && !filters.iter().any(|filter| filter.may_match(contains)) {
        return Ok(Record { position, event: None });
    }
    let json = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let view = match (new, old) {
        (Some(_), Some(_)) => "NEW_AND_OLD_IMAGES",
        (Some(_), None) => "NEW_IMAGE",
        (None, Some(_)) => "OLD_IMAGE",
        (None, None) => "KEYS_ONLY",
    };
    let mut change = json!({
        "ApproximateCreationDateTime": row.get::<_, i64>(6)?,
        "Keys": json(Some(keys)),
        "SequenceNumber": sequence(position),
        "SizeBytes": keys.len() + new.map_or(0, str::len) + old.map_or(0, str::len),
        "StreamViewType": view,
    });
    for (image, text) in [("NewImage", new), ("OldImage", old)] {
        if let (Some(image_json), Some(change)) = (json(text), change.as_object_mut()) {
            change.insert(image.to_owned(), image_json);
        }
    }
    let mut event = json!({
        "eventID": text(5)?.map_or_else(|| position.to_string(), str::to_owned),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": change,
    });
    if let (Some(identity), Some(event)) = (json(text(7)?), event.as_object_mut()) {
        event.insert("userIdentity".to_owned(), identity);
    }
    Ok(Record { position, event: Some(event) })
}

/// A position in DynamoDB's form: fixed width, so that text sorts as numbers do.
pub(super) fn sequence(position: i64) -> String {
    format!("1{position:020}")
}

enum Failure {
    Unknown,
    Unreadable(serde_json::Error),
    Engine(DynoxideError),
}

impl From<DynoxideError> for Failure {
    fn from(error: DynoxideError) -> Self {
        Self::Engine(error)
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(Failure::Unreadable)
}

fn write(answer: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(answer).map_err(Failure::Unreadable)
}

/// The engine's readers mark in the message which error they mean.
fn unreadable(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let (marker, rest) = text.split_once(':').unwrap_or_default();
    let marked =
        !marker.is_empty() && marker.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
    let message = if marked { rest } else { text };
    let validation = if marked {
        marker.starts_with("VALIDATION")
    } else {
        ["missing field", "unknown variant", "invalid type: null", "AttributeValue"]
            .iter()
            .any(|sign| text.contains(sign))
    };
    if validation {
        return json!({ "__type": "com.amazon.coral.validate#ValidationException", "message": message })
            .to_string();
    }
    json!({ "__type": "com.amazon.coral.service#SerializationException", "Message": message }).to_string()
}

/// Whether two requests have the same items: the SDK writes the members of an item in another order each
/// time.
fn same_items(one: &[u8], other: &[u8]) -> bool {
    let items =
        |body| serde_json::from_slice::<Value>(body).ok().and_then(|body| body.get("TransactItems").cloned());
    one == other || items(one) == items(other)
}

fn mismatch() -> Answer {
    let kind = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException";
    Answer::error(400, kind, "The token was used with other items.")
}

#[derive(Default)]
struct Tokens {
    /// The request and what was answered.
    answers: HashMap<String, (Vec<u8>, String)>,
    order: VecDeque<String>,
}

impl Tokens {
    fn remember(&mut self, token: String, request: Vec<u8>, answer: String) {
        self.order.push_back(token.clone());
        self.answers.insert(token, (request, answer));
        if self.order.len() > TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
    }
}

/// The engine says the units of one table, or of each.
trait Total {
    fn total(&self) -> u64;
}

impl Total for Option<ConsumedCapacity> {
    fn total(&self) -> u64 {
        self.as_ref().map_or(0, |capacity| hundredths(capacity.capacity_units))
    }
}

impl Total for Option<Vec<ConsumedCapacity>> {
    fn total(&self) -> u64 {
        self.iter().flatten().map(|capacity| hundredths(capacity.capacity_units)).sum()
    }
}
