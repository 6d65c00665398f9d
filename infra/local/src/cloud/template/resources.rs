//! Resources of the template, type by type, with the properties that are understood.
//!
//! A property is either read into a struct here or named in the list of those without meaning in one process
//! (encryption, tags, log retention …). Everything else is an error.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};
use serde_norway::Value as Yaml;

use super::resolve::{Resolver, arn, entries, text};
use super::{
    Bucket, Cors, Function, MailReports, Queue, Rule, Table, Target, Template, TemplateError, applies,
    unknown,
};
use crate::cloud::pattern::Pattern;

type Result<T> = std::result::Result<T, TemplateError>;

/// Types without behavior here, with the properties they may have.
const INERT: [(&str, &[&str]); 15] = [
    ("AWS::SQS::QueuePolicy", &["PolicyDocument", "Queues"]),
    ("AWS::CloudFront::OriginAccessControl", &["OriginAccessControlConfig"]),
    ("AWS::CloudFront::ResponseHeadersPolicy", &["ResponseHeadersPolicyConfig"]),
    ("AWS::Events::Archive", &["ArchiveName", "SourceArn", "Description", "EventPattern", "RetentionDays"]),
    ("AWS::Events::EventBusPolicy", &["EventBusName", "StatementId", "Statement"]),
    ("AWS::SNS::Topic", &["TopicName", "DisplayName", "Subscription", "KmsMasterKeyId", "Tags"]),
    ("AWS::SNS::Subscription", &["TopicArn", "Protocol", "Endpoint"]),
    ("AWS::SNS::TopicPolicy", &["PolicyDocument", "Topics"]),
    ("AWS::CloudWatch::Dashboard", &["DashboardName", "DashboardBody"]),
    ("AWS::Logs::LogGroup", &["LogGroupName", "RetentionInDays", "KmsKeyId", "Tags"]),
    ("AWS::Logs::MetricFilter", &["FilterPattern", "LogGroupName", "MetricTransformations"]),
    ("AWS::IAM::Policy", &["PolicyName", "PolicyDocument", "Roles"]),
    ("AWS::IAM::Role", &["RoleName", "AssumeRolePolicyDocument", "Policies", "ManagedPolicyArns", "Tags"]),
    ("AWS::SSM::Parameter", &["Name", "Type", "Value", "Description", "Tags"]),
    ("AWS::CloudWatch::Alarm", &ALARM),
];

const ALARM: [&str; 20] = [
    "AlarmName",
    "AlarmDescription",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "ActionsEnabled",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "MetricName",
    "Metrics",
    "Namespace",
    "Period",
    "Statistic",
    "Tags",
    "Threshold",
    "TreatMissingData",
    "Unit",
];

const RESOURCE_KEYS: [&str; 7] =
    ["Type", "Properties", "Condition", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "Metadata"];

/// One resource, resolved.
pub(super) struct Resource {
    pub(super) logical: String,
    pub(super) name: String,
    pub(super) properties: Json,
}

impl Resource {
    /// The properties as `T`, without those named as having no meaning here.
    pub(super) fn take<T: DeserializeOwned>(&self, inert: &[&str]) -> Result<T> {
        read_as(&self.properties, inert, &self.logical)
    }
}

/// Reads an object whose unknown members are errors, after dropping the `inert` ones.
pub(super) fn read_as<T: DeserializeOwned>(value: &Json, inert: &[&str], at: &str) -> Result<T> {
    let mut value = if value.is_null() { json!({}) } else { value.clone() };
    if let Some(object) = value.as_object_mut() {
        object.retain(|key, _| !inert.contains(&key.as_str()));
    }
    serde_json::from_value(value).map_err(|error| unknown(at, error.to_string()))
}

/// Reads every resource; functions last, because their events refer to the others.
pub(super) fn read(
    template: &mut Template,
    resolver: &Resolver<'_>,
    all: Option<&Yaml>,
    globals: Option<Json>,
) -> Result<()> {
    let globals: Globals = read_as(&globals.unwrap_or(Json::Null), &[], "Globals")?;
    if let Some(api) = &globals.http_api {
        api_settings(template, api, "Globals.HttpApi")?;
    }
    let mut functions = Vec::new();
    for (logical, declared) in entries(all, "Resources")? {
        for (key, _) in entries(Some(declared), logical)? {
            if !RESOURCE_KEYS.contains(&key) {
                return Err(unknown(logical, format!("{key} is not understood")));
            }
        }
        if !applies(resolver, declared)? {
            continue;
        }
        let kind = declared.get("Type").and_then(Yaml::as_str).unwrap_or_default();
        let properties = declared.get("Properties").map(|all| resolver.value(all, logical)).transpose()?;
        let resource = Resource {
            logical: logical.to_owned(),
            name: resolver.name_of(logical)?,
            properties: properties.unwrap_or(Json::Null),
        };
        if kind == "AWS::Serverless::Function" {
            functions.push(resource);
        } else {
            plain_resource(template, kind, &resource)?;
        }
    }
    for resource in &functions {
        function(template, resource, globals.function.as_ref())?;
    }
    Ok(())
}

fn plain_resource(template: &mut Template, kind: &str, resource: &Resource) -> Result<()> {
    match kind {
        "AWS::DynamoDB::Table" => template.tables.push(table(resource)?),
        "AWS::SQS::Queue" => {
            template.queues.insert(resource.name.clone(), queue(resource)?);
        }
        "AWS::Events::EventBus" => {
            let _: Named = resource.take(&["Tags", "Description", "LogConfig", "KmsKeyIdentifier"])?;
            template.buses.push(resource.name.clone());
        }
        "AWS::Events::Rule" => template.rules.push(rule(resource)?),
        "AWS::S3::Bucket" => template.buckets.push(bucket(resource)?),
        "AWS::S3::BucketPolicy" => template.shown.extend(super::front::shown(resource)?),
        "AWS::CloudFront::Distribution" => template.fronts.push(super::front::front(resource)?),
        "AWS::SES::ConfigurationSet" => {
            let _: Named = resource.take(&MAIL_SET_INERT)?;
            template.mail_sets.push(resource.name.clone());
        }
        "AWS::SES::ConfigurationSetEventDestination" => {
            template.mail_reports.extend(mail_reports(resource)?);
        }
        "AWS::Serverless::HttpApi" => api_settings(template, &resource.properties, &resource.logical)?,
        other => {
            let (_, inert) = INERT
                .iter()
                .find(|(kind, _)| *kind == other)
                .ok_or_else(|| unknown(&resource.logical, format!("the type {other} is not understood")))?;
            let _: Nothing = resource.take(inert)?;
        }
    }
    Ok(())
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Globals {
    function: Option<Json>,
    http_api: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Named {
    #[serde(rename = "Name")]
    _name: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct FunctionProperties {
    code_uri: String,
    #[serde(default)]
    timeout: Option<u32>,
    #[serde(default)]
    memory_size: Option<u32>,
    #[serde(default)]
    environment: Environment,
    #[serde(default)]
    events: BTreeMap<String, super::events::Declared>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, Json>,
}

const FUNCTION_INERT: [&str; 16] = [
    "Architectures",
    "Description",
    "EphemeralStorage",
    "FunctionName",
    "Handler",
    "LoggingConfig",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ReservedConcurrentExecutions",
    "Role",
    "Runtime",
    "RuntimeManagementConfig",
    "Tags",
    "Tracing",
];

fn function(template: &mut Template, resource: &Resource, globals: Option<&Json>) -> Result<()> {
    let merged = Resource {
        logical: resource.logical.clone(),
        name: resource.name.clone(),
        properties: merge(globals.cloned().unwrap_or_else(|| json!({})), &resource.properties),
    };
    let read: FunctionProperties = merged.take(&FUNCTION_INERT)?;
    let name = read.code_uri.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    if !read.code_uri.contains("target/lambda/") || name.is_empty() {
        return Err(unknown(&resource.logical, "its CodeUri does not end in target/lambda/<name>"));
    }
    let variables =
        read.environment.variables.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    let function = Function {
        name: name.clone(),
        logical: resource.logical.clone(),
        arn: arn("lambda", &format!("function:{}", resource.name)),
        environment: variables,
        timeout: read.timeout.unwrap_or(3),
        memory: read.memory_size.unwrap_or(128),
    };
    if template.functions.insert(name.clone(), function).is_some() {
        return Err(unknown(
            &resource.logical,
            format!("another function has the CodeUri of {name} already"),
        ));
    }
    for (event, declared) in read.events {
        super::events::read(template, &name, &format!("{}/{event}", resource.logical), declared)?;
    }
    Ok(())
}

/// Globals under a function's own properties: maps are merged, anything else is replaced.
fn merge(globals: Json, own: &Json) -> Json {
    match (globals, own) {
        (Json::Object(mut below), Json::Object(above)) => {
            for (key, value) in above {
                let merged = merge(below.remove(key).unwrap_or(Json::Null), value);
                below.insert(key.clone(), merged);
            }
            Json::Object(below)
        }
        (below, Json::Null) => below,
        (_, own) => own.clone(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TableProperties {
    attribute_definitions: Json,
    key_schema: Json,
    #[serde(default)]
    global_secondary_indexes: Option<Json>,
    #[serde(default)]
    stream_specification: Option<StreamView>,
    #[serde(default)]
    time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct StreamView {
    stream_view_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

fn table(resource: &Resource) -> Result<Table> {
    let read: TableProperties = resource.take(&[
        "TableName",
        "BillingMode",
        "OnDemandThroughput",
        "PointInTimeRecoverySpecification",
        "DeletionProtectionEnabled",
        "SSESpecification",
        "TableClass",
        "Tags",
    ])?;
    let mut definition = Map::new();
    definition.insert("TableName".into(), resource.name.as_str().into());
    definition.insert("BillingMode".into(), "PAY_PER_REQUEST".into());
    definition.insert("AttributeDefinitions".into(), read.attribute_definitions);
    definition.insert("KeySchema".into(), read.key_schema);
    definition.extend(read.global_secondary_indexes.map(|all| ("GlobalSecondaryIndexes".to_owned(), all)));
    definition.extend(read.stream_specification.map(|stream| {
        let view = json!({ "StreamEnabled": true, "StreamViewType": stream.stream_view_type });
        ("StreamSpecification".to_owned(), view)
    }));
    let ttl = read.time_to_live_specification.filter(|ttl| ttl.enabled).map(|ttl| ttl.attribute_name);
    Ok(Table { name: resource.name.clone(), definition: Json::Object(definition), ttl })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct QueueProperties {
    visibility_timeout: Option<u32>,
    message_retention_period: Option<u32>,
    delay_seconds: Option<u32>,
    redrive_policy: Option<RedrivePolicy>,
    #[serde(default)]
    fifo_queue: bool,
    #[serde(default)]
    content_based_deduplication: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RedrivePolicy {
    #[serde(rename = "deadLetterTargetArn")]
    target: String,
    #[serde(rename = "maxReceiveCount")]
    receives: u32,
}

fn queue(resource: &Resource) -> Result<Queue> {
    let read: QueueProperties = resource.take(&[
        "QueueName",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "MaximumMessageSize",
        "SqsManagedSseEnabled",
        "KmsMasterKeyId",
        "KmsDataKeyReusePeriodSeconds",
        "DeduplicationScope",
        "FifoThroughputLimit",
        "Tags",
    ])?;
    let name = resource.name.clone();
    if read.fifo_queue != name.ends_with(".fifo") {
        return Err(unknown(&resource.logical, "a queue's name ends in .fifo if, and only if, it is one"));
    }
    let redrive = read.redrive_policy.map(|policy| (last_of_arn(&policy.target), policy.receives));
    Ok(Queue {
        name,
        visibility: read.visibility_timeout.unwrap_or(30),
        retention: read.message_retention_period.unwrap_or(345_600),
        delay: read.delay_seconds.unwrap_or(0),
        redrive,
        fifo: read.fifo_queue,
        content_dedup: read.content_based_deduplication,
    })
}

/// The name at the end of a queue's, bus's or bucket's ARN.
pub(super) fn last_of_arn(arn: &str) -> String {
    arn.rsplit([':', '/']).next().unwrap_or_default().to_owned()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RuleProperties {
    event_bus_name: Option<String>,
    event_pattern: Json,
    #[serde(default)]
    targets: Vec<TargetProperties>,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct TargetProperties {
    #[serde(rename = "Id")]
    _id: String,
    arn: String,
    input_path: Option<String>,
    sqs_parameters: Option<SqsParameters>,
    /// A local queue always takes the message, so what could not be delivered does not exist.
    #[serde(rename = "DeadLetterConfig")]
    _dead_letters: Option<Json>,
    #[serde(rename = "RetryPolicy")]
    _retry: Option<Json>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct SqsParameters {
    message_group_id: String,
}

fn rule(resource: &Resource) -> Result<Rule> {
    let read: RuleProperties = resource.take(&["Name", "Description", "Tags"])?;
    let at = &resource.logical;
    let mut targets = Vec::with_capacity(read.targets.len());
    for target in read.targets {
        if !target.arn.starts_with("arn:aws:sqs:") {
            return Err(unknown(at, format!("the target {} is no queue", target.arn)));
        }
        let path = target.input_path.unwrap_or_else(|| "$".to_owned());
        let mut members = path.split('.');
        if members.next() != Some("$") || path.contains(['[', '*']) {
            return Err(unknown(at, format!("the InputPath {path} is not understood")));
        }
        targets.push(Target {
            queue: last_of_arn(&target.arn),
            input_path: members.map(str::to_owned).collect(),
            group: target.sqs_parameters.map(|parameters| parameters.message_group_id),
        });
    }
    Ok(Rule {
        name: resource.name.clone(),
        bus: last_of_arn(read.event_bus_name.as_deref().unwrap_or("default")),
        pattern: Pattern::read(&read.event_pattern).map_err(|what| unknown(at, what))?,
        targets,
        enabled: read.state.as_deref() != Some("DISABLED"),
    })
}

const MAIL_SET_INERT: [&str; 7] = [
    "DeliveryOptions",
    "ReputationOptions",
    "SendingOptions",
    "SuppressionOptions",
    "Tags",
    "TrackingOptions",
    "VdmOptions",
];

/// What the default bus is told; none if it is switched off.
fn mail_reports(resource: &Resource) -> Result<Option<MailReports>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        configuration_set_name: String,
        event_destination: Destination,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Destination {
        #[serde(rename = "Name")]
        _name: Option<String>,
        #[serde(default)]
        enabled: bool,
        matching_event_types: Vec<String>,
        event_bridge_destination: Bridge,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Bridge {
        event_bus_arn: String,
    }
    let Properties { configuration_set_name: set, event_destination: read } = resource.take(&[])?;
    let bus = read.event_bridge_destination.event_bus_arn;
    if last_of_arn(&bus) != "default" {
        return Err(unknown(&resource.logical, format!("SES tells the default bus only, not {bus}")));
    }
    let strange =
        read.matching_event_types.iter().find(|kind| !["bounce", "complaint"].contains(&kind.as_str()));
    if let Some(kind) = strange {
        return Err(unknown(&resource.logical, format!("events of the type {kind} are not understood")));
    }
    Ok(read.enabled.then_some(MailReports { set, kinds: read.matching_event_types }))
}

fn bucket(resource: &Resource) -> Result<Bucket> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Properties {
        #[serde(default)]
        notification_configuration: Notification,
        #[serde(default)]
        cors_configuration: BucketCors,
    }
    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Notification {
        event_bridge_configuration: Option<Bridge>,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "PascalCase")]
    struct Bridge {
        #[serde(default = "yes")]
        event_bridge_enabled: bool,
    }
    let read: Properties = resource.take(&[
        "BucketName",
        "BucketEncryption",
        "LifecycleConfiguration",
        "OwnershipControls",
        "PublicAccessBlockConfiguration",
        "VersioningConfiguration",
        "Tags",
    ])?;
    let bridge = read.notification_configuration.event_bridge_configuration;
    let rule = |rule: BucketCorsRule| Cors {
        origins: rule.allowed_origins,
        methods: rule.allowed_methods,
        headers: rule.allowed_headers,
        exposed: rule.exposed_headers,
        max_age: rule.max_age,
        credentials: false,
    };
    Ok(Bucket {
        name: resource.name.clone(),
        notifies: bridge.is_some_and(|bridge| bridge.event_bridge_enabled),
        cors: read.cors_configuration.cors_rules.into_iter().map(rule).collect(),
    })
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct BucketCors {
    cors_rules: Vec<BucketCorsRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct BucketCorsRule {
    #[serde(rename = "Id")]
    _id: Option<String>,
    allowed_origins: Vec<String>,
    allowed_methods: Vec<String>,
    #[serde(default)]
    allowed_headers: Vec<String>,
    #[serde(default)]
    exposed_headers: Vec<String>,
    max_age: Option<u32>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct ApiProperties {
    cors_configuration: Option<CorsProperties>,
    stage_name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "PascalCase", default)]
struct CorsProperties {
    allow_origins: Vec<String>,
    allow_methods: Vec<String>,
    allow_headers: Vec<String>,
    expose_headers: Vec<String>,
    max_age: Option<u32>,
    allow_credentials: bool,
}

fn api_settings(template: &mut Template, properties: &Json, at: &str) -> Result<()> {
    let inert = [
        "AccessLogSettings",
        "DefaultRouteSettings",
        "Description",
        "FailOnWarnings",
        "Name",
        "RouteSettings",
        "Tags",
    ];
    let read: ApiProperties = read_as(properties, &inert, at)?;
    if read.stage_name.is_some_and(|stage| stage != "$default") {
        return Err(unknown(at, "only the $default stage is understood: another puts its name into paths"));
    }
    if let Some(cors) = read.cors_configuration {
        template.cors = Some(Cors {
            origins: cors.allow_origins,
            methods: cors.allow_methods,
            headers: cors.allow_headers,
            exposed: cors.expose_headers,
            max_age: cors.max_age,
            credentials: cors.allow_credentials,
        });
    }
    Ok(())
}
