//! The SAM template, read into what the local cloud wires.
//!
//! Owns the understanding of `infra/template.yaml`: which resources exist, what names they have here, which
//! function hears of what. Invariant: whatever is not understood (a tag, a type, a property, an event) is an
//! error that names it, never silence. Types without local behavior are accepted by the lists in `resources`.

mod events;
mod front;
mod resolve;
mod resources;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_norway::Value as Yaml;

use super::pattern::Pattern;
pub(crate) use resolve::{ACCOUNT, REGION, arn, queue_url, stream_arn};

/// Why a template is not understood.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The file is missing or is no YAML.
    #[error("the template cannot be read: {0}")]
    Unreadable(String),
    /// Something in it has no meaning here.
    #[error("{at}: {what}")]
    Unknown {
        /// Where it stands.
        at: String,
        /// What it is.
        what: String,
    },
}

/// A template with every reference resolved.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Every function, by its short name.
    pub functions: BTreeMap<String, Function>,
    /// The HTTP API's cross-origin rules; `None` is none.
    pub cors: Option<Cors>,
    /// Routes of the HTTP API, most specific first.
    pub routes: Vec<Route>,
    /// What reads table streams.
    pub streams: Vec<StreamSource>,
    /// What reads queues.
    pub consumers: Vec<QueueSource>,
    /// What the scheduler starts.
    pub schedules: Vec<Schedule>,
    /// Every table.
    pub tables: Vec<Table>,
    /// Every queue, by its name.
    pub queues: BTreeMap<String, Queue>,
    /// Names of the event buses; `default` is always there.
    pub buses: Vec<String>,
    /// Every rule.
    pub rules: Vec<Rule>,
    /// Every bucket.
    pub buckets: Vec<Bucket>,
    /// Buckets that a distribution stands before.
    pub fronts: Vec<String>,
    /// What of buckets distributions may fetch.
    pub shown: Vec<Shown>,
    /// Names of the sets that mail is sent under.
    pub mail_sets: Vec<String>,
    /// Of what happens to mail, what the default bus is told.
    pub mail_reports: Vec<MailReports>,
    /// The values of the outputs.
    pub outputs: BTreeMap<String, String>,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The last part of its CodeUri, which is the name of its crate.
    pub name: String,
    /// Its name in the template.
    pub logical: String,
    /// Its ARN.
    pub arn: String,
    /// Globals merged with its own.
    pub environment: BTreeMap<String, String>,
    /// Seconds until an invocation is given up.
    pub timeout: u32,
    /// Megabytes; nothing here is bounded by it.
    pub memory: u32,
}

/// Cross-origin rules of the HTTP API or of a bucket.
#[derive(Debug, Clone, Default)]
pub struct Cors {
    pub(crate) origins: Vec<String>,
    pub(crate) methods: Vec<String>,
    pub(crate) headers: Vec<String>,
    pub(crate) exposed: Vec<String>,
    pub(crate) max_age: Option<u32>,
    pub(crate) credentials: bool,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// As API Gateway names it: `GET /v1/orders/{id}` or `$default`.
    pub key: String,
    /// `None` is any method.
    pub method: Option<String>,
    /// `None` is `$default`.
    pub path: Option<String>,
    /// The short name of the function.
    pub function: String,
}

/// A function that reads a table's stream.
#[derive(Debug, Clone)]
pub struct StreamSource {
    /// Function and event, for checkpoints.
    pub id: String,
    /// The short name of the function.
    pub function: String,
    /// The table's name.
    pub table: String,
    /// Records in one invocation at most.
    pub batch: usize,
    /// Seconds that records may wait for others to come with; a pump that delivers until all is quiet does not wait.
    pub window: u32,
    /// A record passes if any matches, or if there are none.
    pub filters: Vec<Pattern>,
    /// ReportBatchItemFailures.
    pub partial: bool,
    /// BisectBatchOnFunctionError.
    pub bisect: bool,
    /// MaximumRetryAttempts; `None` is for ever.
    pub retries: Option<u32>,
    /// MaximumRecordAgeInSeconds; `None` is as long as the stream keeps a record.
    pub age: Option<i64>,
    /// The queue that is told of records given up.
    pub on_failure: Option<String>,
    /// Whether records from before the first start count.
    pub from_the_start: bool,
}

/// A function that reads a queue.
#[derive(Debug, Clone)]
pub struct QueueSource {
    /// Function and event.
    pub id: String,
    /// The short name of the function.
    pub function: String,
    /// The queue's name.
    pub queue: String,
    /// Messages in one invocation at most.
    pub batch: usize,
    /// Seconds that messages may wait for others to come with; a pump that delivers until all is quiet does not wait.
    pub window: u32,
    /// Invocations at once at most, if it says so.
    pub at_once: Option<usize>,
    /// ReportBatchItemFailures.
    pub partial: bool,
    /// A message that matches none of them is dropped, as AWS does; empty takes all.
    pub filters: Vec<Pattern>,
}

/// A schedule of a function.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// Function and event, for what is remembered of it.
    pub id: String,
    /// The short name of the function.
    pub function: String,
    /// When.
    pub when: super::schedule::When,
    /// The event; its placeholder becomes the scheduled time. `None` is the scheduler's own event.
    pub input: Option<String>,
    /// How often a failed run is repeated.
    pub retries: u32,
    /// The queue for runs given up.
    pub dead_letters: Option<String>,
    /// A disabled one is known but never runs.
    pub enabled: bool,
}

/// A DynamoDB table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The CreateTable request.
    pub definition: Json,
    /// The attribute that expires items.
    pub ttl: Option<String>,
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// Seconds that a received message is hidden.
    pub visibility: u32,
    /// Seconds that a message is kept.
    pub retention: u32,
    /// Seconds that a new message is hidden.
    pub delay: u32,
    /// The dead-letter queue's name and after how many receives.
    pub redrive: Option<(String, u32)>,
    /// First in, first out per message group.
    pub fifo: bool,
    /// The body's hash is the deduplication id.
    pub content_dedup: bool,
}

/// An EventBridge rule whose targets are queues.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// The bus it listens to.
    pub bus: String,
    /// What it listens for.
    pub pattern: Pattern,
    /// Where matching events go.
    pub targets: Vec<Target>,
    /// A disabled one is known but never fires.
    pub enabled: bool,
}

/// A target of a rule.
#[derive(Debug, Clone)]
pub struct Target {
    /// The queue's name.
    pub queue: String,
    /// The members under `$` that lead to what is sent; empty is the whole event.
    pub input_path: Vec<String>,
    /// The message group, for a FIFO queue.
    pub group: Option<String>,
}

/// What SES tells the default bus of mail of a set.
#[derive(Debug, Clone)]
pub struct MailReports {
    /// The set's name.
    pub set: String,
    /// As CloudFormation calls them: `bounce`, `complaint`.
    pub kinds: Vec<String>,
}

/// Names of a bucket that everybody may fetch through a distribution.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The bucket's name.
    pub bucket: String,
    /// How these names begin.
    pub begins: String,
}

/// An S3 bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// Whether it tells the default bus of new objects.
    pub notifies: bool,
    /// Its cross-origin rules; the first that knows the origin counts.
    pub cors: Vec<Cors>,
}

impl Template {
    /// Reads the template at `path` with the given parameters; the others keep their defaults.
    ///
    /// # Errors
    /// If the file is missing, or something in it is not understood.
    pub fn open(
        path: &std::path::Path,
        parameters: &BTreeMap<String, String>,
    ) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| TemplateError::Unreadable(format!("{}: {error}", path.display())))?;
        Self::read(&text, parameters)
    }

    /// Reads a template's text.
    ///
    /// # Errors
    /// If something in it is not understood.
    pub fn read(text: &str, parameters: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let root: Yaml =
            serde_norway::from_str(text).map_err(|error| TemplateError::Unreadable(error.to_string()))?;
        let resolver = resolve::Resolver::new(&root, parameters)?;
        let mut template = Self { buses: vec!["default".to_owned()], ..Self::default() };
        for (section, _) in resolve::entries(Some(&root), "the template")? {
            if !SECTIONS.contains(&section) {
                return Err(unknown("the template", format!("the section {section} is not understood")));
            }
        }
        let globals = root.get("Globals").map(|all| resolver.value(all, "Globals")).transpose()?;
        resources::read(&mut template, &resolver, root.get("Resources"), globals)?;
        for (name, output) in resolve::entries(root.get("Outputs"), "Outputs")? {
            let at = format!("Outputs.{name}");
            if !applies(&resolver, output)? {
                continue;
            }
            let value = output.get("Value").ok_or_else(|| unknown(&at, "has no Value"))?;
            template.outputs.insert(name.to_owned(), resolve::text(&resolver.value(value, &at)?));
        }
        template.check()?;
        template.routes.sort_by_key(super::routes::rank);
        Ok(template)
    }

    /// The function with this short name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.get(name)
    }

    /// References between resources that only the whole can check.
    fn check(&self) -> Result<(), TemplateError> {
        for queue in self.queues.values() {
            if let Some((dead, _)) = &queue.redrive {
                self.has_queue(dead, &queue.name)?;
            }
        }
        for rule in &self.rules {
            if !self.buses.contains(&rule.bus) {
                return Err(unknown(&rule.name, format!("there is no event bus {}", rule.bus)));
            }
            rule.targets.iter().try_for_each(|target| self.has_queue(&target.queue, &rule.name))?;
        }
        for reports in &self.mail_reports {
            if !self.mail_sets.contains(&reports.set) {
                return Err(unknown(&reports.set, "there is no such configuration set"));
            }
        }
        for source in &self.consumers {
            self.has_queue(&source.queue, &source.id)?;
            let (visible, limit) = (self.queues.get(&source.queue), self.functions.get(&source.function));
            if let (Some(queue), Some(function)) = (visible, limit)
                && queue.visibility < function.timeout
            {
                let what =
                    format!("the queue {} hides messages for less than the function's Timeout", queue.name);
                return Err(unknown(&source.id, what));
            }
        }
        for source in &self.streams {
            if !self.tables.iter().any(|table| table.name == source.table) {
                return Err(unknown(&source.id, format!("there is no table {}", source.table)));
            }
            source.on_failure.iter().try_for_each(|queue| self.has_queue(queue, &source.id))?;
        }
        let dead = self.schedules.iter().filter_map(|one| Some((one, one.dead_letters.as_ref()?)));
        for (schedule, queue) in dead {
            self.has_queue(queue, &schedule.id)?;
        }
        Ok(())
    }

    fn has_queue(&self, name: &str, at: &str) -> Result<(), TemplateError> {
        if self.queues.contains_key(name) {
            return Ok(());
        }
        Err(unknown(at, format!("there is no queue {name}")))
    }
}

const SECTIONS: [&str; 10] = [
    "AWSTemplateFormatVersion",
    "Transform",
    "Description",
    "Metadata",
    "Parameters",
    "Mappings",
    "Conditions",
    "Globals",
    "Resources",
    "Outputs",
];

fn unknown(at: &str, what: impl Into<String>) -> TemplateError {
    TemplateError::Unknown { at: at.to_owned(), what: what.into() }
}

/// Whether a resource or output exists under its condition.
fn applies(resolver: &resolve::Resolver<'_>, holder: &Yaml) -> Result<bool, TemplateError> {
    holder.get("Condition").and_then(Yaml::as_str).map_or(Ok(true), |name| resolver.condition(name))
}
