//! The events of a function: what calls it, and how.

use serde::Deserialize;
use serde_json::Value as Json;

use super::resources::{last_of_arn, read_as};
use super::{QueueSource, Route, Schedule, StreamSource, Template, TemplateError, unknown};
use crate::cloud::pattern::Pattern;
use crate::cloud::schedule::When;

type Result<T> = std::result::Result<T, TemplateError>;

/// An event as the template states it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Declared {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    properties: Json,
}

/// Adds what the event wires to the template.
pub(super) fn read(template: &mut Template, function: &str, at: &str, declared: Declared) -> Result<()> {
    let properties = &declared.properties;
    match declared.kind.as_str() {
        "HttpApi" => template.routes.push(route(function, at, properties)?),
        "SQS" => template.consumers.push(queue(function, at, properties)?),
        "DynamoDB" => template.streams.push(stream(function, at, properties)?),
        "ScheduleV2" => template.schedules.push(schedule(function, at, properties)?),
        other => return Err(unknown(at, format!("the event type {other} is not understood"))),
    }
    Ok(())
}

fn route(function: &str, at: &str, properties: &Json) -> Result<Route> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        path: Option<String>,
        method: Option<String>,
        payload_format_version: Option<String>,
    }
    let inert = ["ApiId", "RouteSettings", "TimeoutInMillis"];
    let read: Properties = read_as(properties, &inert, at)?;
    if read.payload_format_version.is_some_and(|version| version != "2.0") {
        return Err(unknown(at, "only the payload format 2.0 is understood"));
    }
    let path = read.path.filter(|path| path != "$default");
    let method =
        read.method.map(|method| method.to_uppercase()).filter(|method| method != "ANY" && method != "*");
    let key = match (&method, &path) {
        (_, None) => "$default".to_owned(),
        (method, Some(path)) => format!("{} {path}", method.as_deref().unwrap_or("ANY")),
    };
    Ok(Route { key, method, path, function: function.to_owned() })
}

fn queue(function: &str, at: &str, properties: &Json) -> Result<QueueSource> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        queue: String,
        batch_size: Option<usize>,
        #[serde(default)]
        maximum_batching_window_in_seconds: u32,
        #[serde(default)]
        scaling_config: Scaling,
        #[serde(default)]
        function_response_types: Vec<String>,
        #[serde(default)]
        filter_criteria: Filters,
    }
    let read: Properties = read_as(properties, &["Enabled"], at)?;
    let (batch, window) = (read.batch_size.unwrap_or(10).max(1), read.maximum_batching_window_in_seconds);
    if batch > 10 && window == 0 {
        return Err(unknown(at, "a BatchSize of more than 10 needs a MaximumBatchingWindowInSeconds"));
    }
    Ok(QueueSource {
        id: at.to_owned(),
        function: function.to_owned(),
        queue: last_of_arn(&read.queue),
        batch,
        window,
        at_once: read.scaling_config.maximum_concurrency,
        partial: partial(&read.function_response_types, at)?,
        filters: read.filter_criteria.patterns(at)?,
    })
}

fn stream(function: &str, at: &str, properties: &Json) -> Result<StreamSource> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        stream: String,
        starting_position: String,
        batch_size: Option<usize>,
        #[serde(default)]
        maximum_batching_window_in_seconds: u32,
        #[serde(default)]
        function_response_types: Vec<String>,
        #[serde(default)]
        filter_criteria: Filters,
        #[serde(default)]
        bisect_batch_on_function_error: bool,
        maximum_retry_attempts: Option<i64>,
        maximum_record_age_in_seconds: Option<i64>,
        destination_config: Option<Destination>,
    }
    let inert = ["ParallelizationFactor", "TumblingWindowInSeconds", "Enabled"];
    let read: Properties = read_as(properties, &inert, at)?;
    let from_the_start = match read.starting_position.as_str() {
        "TRIM_HORIZON" => true,
        "LATEST" => false,
        other => return Err(unknown(at, format!("the StartingPosition {other} is not understood"))),
    };
    let retries = match read.maximum_retry_attempts {
        None | Some(-1) => None,
        Some(count) => Some(u32::try_from(count).map_err(|error| unknown(at, error.to_string()))?),
    };
    let table = read.stream.split('/').nth(1).unwrap_or_default().to_owned();
    Ok(StreamSource {
        id: at.to_owned(),
        function: function.to_owned(),
        table,
        batch: read.batch_size.unwrap_or(100).max(1),
        window: read.maximum_batching_window_in_seconds,
        filters: read.filter_criteria.patterns(at)?,
        partial: partial(&read.function_response_types, at)?,
        bisect: read.bisect_batch_on_function_error,
        retries,
        age: read.maximum_record_age_in_seconds.filter(|age| *age != -1),
        on_failure: read.destination_config.map(|config| last_of_arn(&config.on_failure.destination)),
        from_the_start,
    })
}

fn schedule(function: &str, at: &str, properties: &Json) -> Result<Schedule> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        schedule_expression: String,
        schedule_expression_timezone: Option<String>,
        input: Option<String>,
        state: Option<String>,
        retry_policy: Option<RetryPolicy>,
        dead_letter_config: Option<DeadLetters>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct RetryPolicy {
        #[serde(default)]
        maximum_retry_attempts: Option<u32>,
        #[serde(rename = "MaximumEventAgeInSeconds")]
        _age: Option<u32>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct DeadLetters {
        arn: String,
        #[serde(rename = "Type")]
        _kind: Option<String>,
    }
    let inert = [
        "Name",
        "Description",
        "FlexibleTimeWindow",
        "GroupName",
        "OmitName",
        "PermissionsBoundary",
        "RoleArn",
    ];
    let read: Properties = read_as(properties, &inert, at)?;
    if read.schedule_expression_timezone.is_some_and(|zone| zone != "UTC") {
        return Err(unknown(at, "only schedules in UTC are understood"));
    }
    let retries = read.retry_policy.and_then(|policy| policy.maximum_retry_attempts);
    Ok(Schedule {
        id: at.to_owned(),
        function: function.to_owned(),
        when: When::read(&read.schedule_expression).map_err(|what| unknown(at, what))?,
        input: read.input,
        // The scheduler itself repeats up to 185 times over a day; here a run is either well soon or it is
        // told of.
        retries: retries.unwrap_or(2).min(2),
        dead_letters: read.dead_letter_config.map(|config| last_of_arn(&config.arn)),
        enabled: read.state.as_deref() != Some("DISABLED"),
    })
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Scaling {
    maximum_concurrency: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Destination {
    on_failure: OnFailure,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct OnFailure {
    destination: String,
    #[serde(rename = "Type")]
    _kind: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Filters {
    #[serde(default)]
    filters: Vec<Filter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Filter {
    pattern: String,
}

impl Filters {
    fn patterns(self, at: &str) -> Result<Vec<Pattern>> {
        let read = |filter: Filter| {
            let json: Json = serde_json::from_str(&filter.pattern).map_err(|error| error.to_string())?;
            Pattern::read(&json)
        };
        self.filters.into_iter().map(|filter| read(filter).map_err(|what| unknown(at, what))).collect()
    }
}

fn partial(types: &[String], at: &str) -> Result<bool> {
    match types {
        [] => Ok(false),
        [one] if one == "ReportBatchItemFailures" => Ok(true),
        other => Err(unknown(at, format!("the response types {other:?} are not understood"))),
    }
}
