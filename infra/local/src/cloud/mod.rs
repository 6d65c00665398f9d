//! The local cloud: an AWS in one process, wired by the SAM template.
//!
//! It hands each function the very event JSON that AWS would send and gives it real SDK clients, whose HTTP
//! connector ends in this process. What flows where:
//!
//! 1. a function commits → `dynamo` writes items and stream records in one transaction;
//! 2. `stream` reads records after each source's checkpoint and invokes the relay;
//! 3. the relay's PutEvents → `bus` copies events that match a rule into queues (`store`);
//! 4. `queue` receives batches, invokes the consumer, deletes what went well;
//! 5. what fails too often lies in a dead-letter queue until it is replayed.
//!
//! Invariants: nothing committed is lost by a kill; delivery is at least once; a wiring that is not
//! understood does not open. Absent on purpose: identity and policies, throttling, metrics, log groups, the
//! content of alarms.

mod bus;
mod connector;
mod dynamo;
mod gateway;
mod lag;
mod meter;
mod pattern;
mod protocol;
mod pump;
mod queue;
mod routes;
mod s3;
mod schedule;
mod serve;
mod ses;
mod sqs;
mod store;
mod stream;
pub mod template;
#[cfg(test)]
mod tests;
mod time;
mod watch;
mod way;

use futures::future::BoxFuture;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;
use uuid::Uuid;

pub use dynamo::TableError;
pub use lag::Lags;
pub use meter::{Meter, MeterLine, Used};
pub use pattern::Pattern;
pub use pump::{DeadLetter, Settled};
pub use schedule::When;
pub use ses::{Fate, Mail, Returned};
pub use store::StoreError;
pub use template::{Template, TemplateError};
pub use time::Time;
pub use way::{Called, in_the_way};

/// Reads from a sort key when the work of its item is due.
pub type DueAt = fn(&str) -> Option<Timestamp>;

/// A function as Lambda sees it: an event's JSON in, an answer's JSON out. `Err` is a failed invocation.
pub type Handler = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, String>> + Send + Sync>;

/// Where a cloud keeps what it knows.
#[derive(Debug, Clone)]
pub enum Place {
    /// In a folder, for good.
    Folder(PathBuf),
    /// In a folder of its own that goes with it.
    Memory,
    /// The same, below a folder that is there: where more is kept than a system has for what is passing.
    Below(PathBuf),
    /// The same, beginning with what is in a folder that no cloud has open.
    CopyOf(PathBuf),
}

/// How sources are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// All at once, each in a task of its own; whoever calls AWS lets the others go on.
    #[default]
    Parallel,
    /// One after the other in the template's order: two runs with the same input do the same.
    Ordered,
}

/// Why a cloud does not open, or stops.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The folder cannot be used.
    #[error("the folder {0} cannot be used")]
    Folder(PathBuf, #[source] std::io::Error),
    /// Somebody else has it open: two would deliver everything twice.
    #[error("the folder {0} is in use by another local cloud")]
    InUse(PathBuf),
    /// The tables do not open.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stream cannot be read.
    #[error("the stream cannot be read")]
    Stream(#[source] rusqlite::Error),
    /// The objects' folder cannot be served.
    #[error("the buckets cannot be opened: {0}")]
    Objects(String),
    /// A name that the template does not know.
    #[error("the template has no {0}")]
    NoSuch(String),
    /// Functions and handlers do not match.
    #[error("{0}")]
    Unwired(String),
    /// A listener failed.
    #[error("the listener failed")]
    Listener(#[source] std::io::Error),
}

/// The local cloud. Clones are the same cloud; it closes with the last of them.
#[derive(Clone)]
pub struct Cloud {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

struct Inner {
    template: Template,
    folder: PathBuf,
    pace: Pace,
    time: Time,
    store: store::Store,
    dynamo: dynamo::Dynamo,
    objects: s3::Objects,
    mails: ses::Mails,
    meter: Arc<Meter>,
    handlers: RwLock<BTreeMap<String, Handler>>,
    /// Whose schedule need not run before there is something to do.
    dozing: Mutex<BTreeMap<String, pump::Doze>>,
    /// Calls that may have written to a table.
    writes: AtomicU64,
    sources: Vec<Arc<pump::Source>>,
    /// Functions that a runner outside has.
    watched: RwLock<BTreeSet<String>>,
    readers: BTreeMap<String, tokio::sync::Mutex<stream::Reader>>,
    scheduler: tokio::sync::Mutex<()>,
    /// When old messages were looked for, in milliseconds.
    swept: AtomicI64,
    bells: pump::Bells,
    /// Batches being worked on, and a bell for when one is done.
    working: AtomicUsize,
    done: Notify,
    ids: AtomicU64,
    _lock: File,
    _scratch: Option<tempfile::TempDir>,
}

impl Cloud {
    /// Opens a cloud: creates what the template has and the place has not yet.
    ///
    /// # Errors
    /// If the place cannot be used or a table's definition is refused.
    pub async fn open(template: Template, place: Place, time: Time) -> Result<Self, CloudError> {
        Self::open_at(template, place, time, Pace::default()).await
    }

    /// As [`Cloud::open`], with a pace.
    ///
    /// # Errors
    /// As [`Cloud::open`].
    pub async fn open_at(
        template: Template,
        place: Place,
        time: Time,
        pace: Pace,
    ) -> Result<Self, CloudError> {
        let (folder, scratch) = match place {
            Place::Folder(folder) => (folder, None),
            Place::Memory => scratch(&std::env::temp_dir(), None)?,
            Place::Below(folder) => scratch(&folder, None)?,
            // Beside the other: in memory, if that is.
            Place::CopyOf(other) => scratch(other.parent().unwrap_or(&other), Some(&other))?,
        };
        std::fs::create_dir_all(&folder).map_err(|error| CloudError::Folder(folder.clone(), error))?;
        let lock = alone_in(&folder)?;
        let durable = scratch.is_none();
        let meter = Arc::new(Meter::default());
        let store = store::Store::open(&folder.join("cloud.sqlite"), durable)?;
        let path = folder.join("tables.sqlite");
        let dynamo = dynamo::Dynamo::open(&path, durable, &template.tables, Arc::clone(&meter))?;
        let objects = s3::Objects::open(&folder.join("s3"), &template.buckets)?;
        let mails = ses::Mails::open(&folder.join("mail"))?;
        let mut readers = BTreeMap::new();
        for source in &template.streams {
            let reader = stream::Reader::open(source, &store, &dynamo)?;
            readers.insert(source.id.clone(), tokio::sync::Mutex::new(reader));
        }
        let now = time.millis();
        for schedule in &template.schedules {
            let name = pump::schedule_mark(schedule);
            if store.mark(&name).is_none() {
                store.set_mark(&name, now)?;
            }
        }
        let (bells, sources) = (pump::Bells::new(&template), pump::sources(&template));
        let inner = Inner {
            template,
            folder,
            pace,
            time,
            store,
            dynamo,
            objects,
            mails,
            meter,
            handlers: RwLock::default(),
            dozing: Mutex::default(),
            writes: AtomicU64::new(0),
            sources,
            watched: RwLock::default(),
            readers,
            scheduler: tokio::sync::Mutex::new(()),
            swept: AtomicI64::new(i64::MIN),
            bells,
            working: AtomicUsize::new(0),
            done: Notify::new(),
            ids: AtomicU64::new(1),
            _lock: lock,
            _scratch: scratch,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What was opened.
    #[must_use]
    pub fn template(&self) -> &Template {
        &self.inner.template
    }

    /// The folder in which it keeps everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Its clock.
    #[must_use]
    pub fn time(&self) -> &Time {
        &self.inner.time
    }

    /// The counters of table calls.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    /// From now on this lags, as it may on AWS: such a read sees the table as it was so many writes ago. When all is
    /// quiet everything has caught up.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub fn lag(&self, what: Lags, writes: usize) -> Result<(), CloudError> {
        Ok(self.inner.dynamo.lag(what, writes, &self.inner.template.tables)?)
    }

    /// Every item of every table, in DynamoDB's JSON as its writer has ordered it.
    ///
    /// # Errors
    /// If the tables cannot be read.
    pub fn items(&self) -> Result<Vec<String>, CloudError> {
        let tables = &self.inner.template.tables;
        let items = tables.iter().map(|table| self.inner.dynamo.items(&table.name));
        let items: Result<Vec<_>, TableError> = items.collect();
        Ok(items?.concat())
    }

    /// The configuration for real SDK clients that end here. The label names who calls, for the meter.
    #[must_use]
    pub fn sdk_config(&self, label: &str) -> aws_types::SdkConfig {
        connector::config(&self.inner, label)
    }

    /// The environment that the template gives a function.
    ///
    /// # Errors
    /// If the template has no such function.
    pub fn environment(&self, function: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let found = self.inner.template.function(function).map(|found| found.environment.clone());
        found.ok_or_else(|| CloudError::NoSuch(format!("function {function}")))
    }

    /// Gives a function its handler; another one replaces it.
    pub fn register(&self, function: &str, handler: Handler) {
        let mut handlers = self.inner.handlers.write().unwrap_or_else(PoisonError::into_inner);
        handlers.insert(function.to_owned(), handler);
        self.inner.dozing.lock().unwrap_or_else(PoisonError::into_inner).remove(function);
    }

    /// Lets the schedules of a function pass over runs that would find nothing to do: a clock that is moved by days
    /// would spend them on those. The first sort key in the partitions whose keys begin so says when there is something
    /// to do; it is looked at again after a write that names one of them.
    pub fn doze(&self, function: &str, partitions: impl Into<String>, due_at: DueAt) {
        let mut dozing = self.inner.dozing.lock().unwrap_or_else(PoisonError::into_inner);
        dozing.insert(function.to_owned(), pump::Doze::new(partitions.into(), due_at));
    }

    /// Checks that every function of the template has a handler and every handler a function.
    ///
    /// # Errors
    /// With the names of those that do not match.
    pub fn check_wired(&self) -> Result<(), CloudError> {
        let handlers = self.inner.handlers.read().unwrap_or_else(PoisonError::into_inner);
        let handlers: BTreeSet<&String> = handlers.keys().collect();
        let functions: BTreeSet<&String> = self.inner.template.functions.keys().collect();
        let mut words = Vec::new();
        for (missing, kind) in [
            (
                functions.difference(&handlers).collect::<Vec<_>>(),
                "functions of the template without a handler",
            ),
            (handlers.difference(&functions).collect(), "handlers that the template does not know"),
        ] {
            if !missing.is_empty() {
                let names: Vec<&str> = missing.iter().map(|name| name.as_str()).collect();
                words.push(format!("{kind}: {}", names.join(", ")));
            }
        }
        if words.is_empty() { Ok(()) } else { Err(CloudError::Unwired(words.join("; "))) }
    }

    /// Invokes a function with an event of one's own, as `aws lambda invoke` does.
    ///
    /// # Errors
    /// With the function's own words, or what kept it from being called.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, String> {
        self.inner.invoke(function, event).await
    }
}

impl Inner {
    /// Calls a handler; a panic and a time-out are failed invocations, as on AWS.
    async fn invoke(&self, function: &str, event: Value) -> Result<Value, String> {
        self.meter.uses(function, |used| used.invocations = used.invocations.saturating_add(1));
        let handler = {
            let handlers = self.handlers.read().unwrap_or_else(PoisonError::into_inner);
            handlers
                .get(function)
                .cloned()
                .ok_or_else(|| format!("the function {function} has no handler"))?
        };
        let limit = self.template.function(function).map_or(3, |found| found.timeout);
        let limit = self.patience(function, Duration::from_secs(u64::from(limit)));
        let call = AssertUnwindSafe(async move { handler(event).await }).catch_unwind();
        match tokio::time::timeout(limit, call).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(panic)) => Err(format!("the handler panicked: {}", panic_words(panic.as_ref()))),
            Err(_) => Err(format!("Task timed out after {} seconds", limit.as_secs())),
        }
    }

    /// A runner outside has the function from now on.
    fn outside(&self, function: &str) {
        self.watched.write().unwrap_or_else(PoisonError::into_inner).insert(function.to_owned());
    }

    /// How long a function is waited for: as AWS does, but longer where it runs outside.
    fn patience(&self, function: &str, of_aws: Duration) -> Duration {
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        if watched.contains(function) { watch::PATIENCE } else { of_aws }
    }

    /// Sends messages and wakes who reads their queues.
    fn send(&self, messages: &[store::New]) -> Result<Vec<i64>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.store.send(messages, self.time.millis())?;
        messages.iter().for_each(|message| self.bells.ring(&message.queue));
        Ok(ids)
    }

    fn ring_all(&self) {
        self.bells.ring_all();
    }

    /// An id in the form of a UUID: the time and a count, so that a replayed run has the same.
    fn next_id(&self) -> String {
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        let time = u64::try_from(self.time.millis()).unwrap_or_default();
        Uuid::from_u64_pair(time << 16 | 0x4000, count | 0x8000_0000_0000_0000).to_string()
    }
}

/// A folder that goes with the cloud, with the files and folders of another in it.
fn scratch(below: &Path, of: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), CloudError> {
    let unusable = |error| CloudError::Folder(below.to_owned(), error);
    let scratch = tempfile::tempdir_in(below).map_err(unusable)?;
    if let Some(of) = of {
        copy(of, scratch.path()).map_err(unusable)?;
    }
    Ok((scratch.path().to_owned(), Some(scratch)))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let there = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &there)?;
        } else {
            std::fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}

/// The file in a data folder that a cloud holds.
pub const LOCK: &str = "lock";

/// Keeps every other cloud out of a data folder while what it answers lives; the end of the process ends it too.
///
/// # Errors
/// If another cloud is there, or the folder cannot be written.
pub fn alone_in(folder: &Path) -> Result<File, CloudError> {
    let unusable = |error| CloudError::Folder(folder.to_owned(), error);
    let file = File::create(folder.join(LOCK)).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CloudError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn panic_words(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}
