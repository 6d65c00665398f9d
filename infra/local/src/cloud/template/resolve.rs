//! The intrinsic functions of a template: what they stand for in this process.
//!
//! Owns parameters, conditions, mappings and the local names of resources. A tag, an attribute or a reference
//! that is not listed here is an error that names it. Absent on purpose: `Join`, `Select`, `Split`,
//! `ImportValue`, macros and nested stacks; the template does without them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use serde_norway::Value as Yaml;

use super::TemplateError;

/// The region, account and stack that local ARNs name.
pub(crate) const REGION: &str = "us-east-1";
/// See [`REGION`].
pub(crate) const ACCOUNT: &str = "000000000000";
const STACK: &str = "souk";
/// A chain of references longer than this is a circle.
const DEEPEST: u8 = 24;

type Result<T> = std::result::Result<T, TemplateError>;

/// A template with the values of its parameters, ready to resolve parts of it.
pub(super) struct Resolver<'a> {
    root: &'a Yaml,
    parameters: BTreeMap<String, Json>,
}

fn bad(at: &str, what: impl Into<String>) -> TemplateError {
    TemplateError::Unknown { at: at.to_owned(), what: what.into() }
}

impl<'a> Resolver<'a> {
    pub(super) fn new(root: &'a Yaml, given: &BTreeMap<String, String>) -> Result<Self> {
        let mut parameters = BTreeMap::new();
        for (name, declared) in entries(root.get("Parameters"), "Parameters")? {
            let at = format!("Parameters.{name}");
            let default = declared.get("Default").map(|value| plain(value, &at)).transpose()?;
            let value = given
                .get(name)
                .map(|text| Json::from(text.as_str()))
                .or(default)
                .ok_or_else(|| bad(&at, "has neither a value nor a Default"))?;
            parameters.insert(name.to_owned(), parameter(declared, value, &at)?);
        }
        if let Some(stray) = given.keys().find(|name| !parameters.contains_key(*name)) {
            return Err(bad("Parameters", format!("no parameter {stray} is declared")));
        }
        Ok(Self { root, parameters })
    }

    /// Whether the named condition holds.
    pub(super) fn condition(&self, name: &str) -> Result<bool> {
        let at = format!("Conditions.{name}");
        let declared = self.root.get("Conditions").and_then(|all| all.get(name));
        self.holds(declared.ok_or_else(|| bad(&at, "is not declared"))?, &at, 0)
    }

    fn holds(&self, condition: &Yaml, at: &str, depth: u8) -> Result<bool> {
        let depth = deeper(depth, at)?;
        let (function, argument) = intrinsic(condition)
            .ok_or_else(|| bad(at, "a condition is one of Equals, Not, And, Or, Condition"))?;
        let list = || argument.as_sequence().ok_or_else(|| bad(at, format!("{function} takes a list")));
        match function.as_str() {
            "Equals" => match list()?.as_slice() {
                [left, right] => {
                    Ok(text(&self.value_at(left, at, depth)?) == text(&self.value_at(right, at, depth)?))
                }
                _ => Err(bad(at, "Equals takes two values")),
            },
            "Not" => match list()?.as_slice() {
                [one] => Ok(!self.holds(one, at, depth)?),
                _ => Err(bad(at, "Not takes one condition")),
            },
            "And" => list()?.iter().try_fold(true, |all, one| Ok(self.holds(one, at, depth)? && all)),
            "Or" => list()?.iter().try_fold(false, |any, one| Ok(self.holds(one, at, depth)? || any)),
            "Condition" => self.condition(argument.as_str().unwrap_or_default()),
            other => Err(bad(at, format!("the condition function {other} is not understood"))),
        }
    }

    /// The value with every intrinsic function replaced; `AWS::NoValue` removes what holds it.
    pub(super) fn value(&self, yaml: &Yaml, at: &str) -> Result<Json> {
        self.value_at(yaml, at, 0)
    }

    fn value_at(&self, yaml: &Yaml, at: &str, depth: u8) -> Result<Json> {
        Ok(self.resolve(yaml, at, depth)?.unwrap_or(Json::Null))
    }

    /// `None` is `AWS::NoValue`.
    fn resolve(&self, yaml: &Yaml, at: &str, depth: u8) -> Result<Option<Json>> {
        if let Some((function, argument)) = intrinsic(yaml) {
            return self.call(&function, argument, at, depth);
        }
        Ok(Some(match yaml {
            Yaml::Sequence(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (place, item) in items.iter().enumerate() {
                    list.extend(self.resolve(item, &format!("{at}[{place}]"), depth)?);
                }
                Json::Array(list)
            }
            Yaml::Mapping(mapping) => {
                let mut object = Map::new();
                for (key, item) in mapping {
                    let key = key_text(key, at)?;
                    if let Some(value) = self.resolve(item, &format!("{at}.{key}"), depth)? {
                        object.insert(key, value);
                    }
                }
                Json::Object(object)
            }
            scalar @ (Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::String(_) | Yaml::Tagged(_)) => {
                plain(scalar, at)?
            }
        }))
    }

    fn call(&self, function: &str, argument: &Yaml, at: &str, depth: u8) -> Result<Option<Json>> {
        let depth = deeper(depth, at)?;
        match function {
            "Ref" => {
                let name = argument.as_str().ok_or_else(|| bad(at, "Ref takes a name"))?;
                if name == "AWS::NoValue" { Ok(None) } else { self.reference(name, at, depth).map(Some) }
            }
            "GetAtt" => self.attribute_of(argument, at, depth).map(Some),
            "Sub" => self.substitute(argument, at, depth).map(Some),
            "If" => match argument.as_sequence().map(Vec::as_slice) {
                Some([name, yes, no]) => {
                    let chosen = if self.condition(name.as_str().unwrap_or_default())? { yes } else { no };
                    self.resolve(chosen, at, depth)
                }
                _ => Err(bad(at, "If takes a condition and two values")),
            },
            "FindInMap" => self.find_in_map(argument, at, depth).map(Some),
            other => Err(bad(at, format!("the function {other} is not understood"))),
        }
    }

    fn attribute_of(&self, argument: &Yaml, at: &str, depth: u8) -> Result<Json> {
        let (name, attribute) = match argument {
            Yaml::String(dotted) => dotted.split_once('.'),
            Yaml::Sequence(pair) => match pair.as_slice() {
                [name, attribute] => name.as_str().zip(attribute.as_str()),
                _ => None,
            },
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => None,
        }
        .ok_or_else(|| bad(at, "GetAtt takes a resource and an attribute"))?;
        self.attribute(name, attribute, at, depth)
    }

    fn find_in_map(&self, argument: &Yaml, at: &str, depth: u8) -> Result<Json> {
        let keys = argument.as_sequence().map(Vec::as_slice).unwrap_or_default();
        let mut place = self.root.get("Mappings");
        if keys.len() != 3 {
            return Err(bad(at, "FindInMap takes a map and two keys"));
        }
        for key in keys {
            let key = text(&self.value_at(key, at, depth)?);
            place = place.and_then(|inner| inner.get(key.as_str()));
        }
        plain(place.ok_or_else(|| bad(at, "FindInMap finds nothing under its keys"))?, at)
    }

    fn substitute(&self, argument: &Yaml, at: &str, depth: u8) -> Result<Json> {
        let (pattern, own) = match argument {
            Yaml::String(pattern) => (pattern.as_str(), None),
            Yaml::Sequence(parts) => match parts.as_slice() {
                [Yaml::String(pattern), own] => (pattern.as_str(), Some(own)),
                _ => return Err(bad(at, "Sub takes a text, or a text and a map")),
            },
            Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => {
                return Err(bad(at, "Sub takes a text, or a text and a map"));
            }
        };
        let mut out = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let (name, after) =
                after.split_once('}').ok_or_else(|| bad(at, "Sub has a ${ that does not end"))?;
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let value = match (own.and_then(|map| map.get(name)), name.split_once('.')) {
                (Some(value), _) => self.value_at(value, at, depth)?,
                (None, Some((resource, attribute))) => self.attribute(resource, attribute, at, depth)?,
                (None, None) => self.reference(name, at, depth)?,
            };
            out.push_str(&text(&value));
        }
        out.push_str(rest);
        Ok(Json::String(out))
    }

    fn reference(&self, name: &str, at: &str, depth: u8) -> Result<Json> {
        if let Some(value) = self.parameters.get(name) {
            return Ok(value.clone());
        }
        let pseudo = match name {
            "AWS::Region" => Some(REGION),
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::StackName" => Some(STACK),
            "AWS::Partition" => Some("aws"),
            "AWS::URLSuffix" => Some("amazonaws.com"),
            _ => None,
        };
        if let Some(value) = pseudo {
            return Ok(value.into());
        }
        let kind = self.kind(name, at)?;
        let physical = self.physical(name, at, depth)?;
        Ok(Json::String(match kind.as_str() {
            "AWS::SQS::Queue" => queue_url(&physical),
            "AWS::SNS::Topic" => arn("sns", &physical),
            _ => physical,
        }))
    }

    fn attribute(&self, name: &str, attribute: &str, at: &str, depth: u8) -> Result<Json> {
        let role_of = name.strip_suffix("Role").filter(|function| self.is_function(function));
        if let (Some(function), "Arn") = (role_of, attribute) {
            return Ok(format!("arn:aws:iam::{ACCOUNT}:role/{STACK}-{function}Role").into());
        }
        let kind = self.kind(name, at)?;
        let physical = self.physical(name, at, depth)?;
        let value = match (kind.as_str(), attribute) {
            ("AWS::DynamoDB::Table", "Arn") => arn("dynamodb", &format!("table/{physical}")),
            ("AWS::DynamoDB::Table", "StreamArn") => stream_arn(&physical),
            ("AWS::SQS::Queue", "Arn") => arn("sqs", &physical),
            ("AWS::SQS::Queue", "QueueName") => physical,
            ("AWS::SQS::Queue", "QueueUrl") => queue_url(&physical),
            ("AWS::Events::EventBus", "Arn") => arn("events", &format!("event-bus/{physical}")),
            ("AWS::Events::EventBus", "Name") => physical,
            ("AWS::Events::Rule", "Arn") => arn("events", &format!("rule/{physical}")),
            ("AWS::S3::Bucket", "Arn") => format!("arn:aws:s3:::{physical}"),
            ("AWS::S3::Bucket", "DomainName" | "RegionalDomainName") => {
                format!("{physical}.s3.{REGION}.amazonaws.com")
            }
            ("AWS::CloudFront::Distribution", "DomainName") => "127.0.0.1:8080".to_owned(),
            ("AWS::CloudFront::OriginAccessControl", "Id") => physical,
            ("AWS::Serverless::Function", "Arn") => arn("lambda", &format!("function:{physical}")),
            ("AWS::Serverless::HttpApi", "ApiEndpoint") => "http://127.0.0.1:8080".to_owned(),
            ("AWS::Logs::LogGroup", "Arn") => arn("logs", &format!("log-group:{physical}:*")),
            ("AWS::SNS::Topic", "TopicArn") => arn("sns", &physical),
            ("AWS::SNS::Topic", "TopicName") => physical,
            ("AWS::CloudWatch::Alarm", "Arn") => arn("cloudwatch", &format!("alarm:{physical}")),
            _ => {
                return Err(bad(
                    at,
                    format!("the attribute {name}.{attribute} of a {kind} is not understood"),
                ));
            }
        };
        Ok(Json::String(value))
    }

    fn resource(&self, name: &str) -> Option<&'a Yaml> {
        self.root.get("Resources").and_then(|all| all.get(name))
    }

    fn is_function(&self, name: &str) -> bool {
        let kind = self.resource(name).and_then(|resource| resource.get("Type")).and_then(Yaml::as_str);
        kind == Some("AWS::Serverless::Function")
    }

    fn kind(&self, name: &str, at: &str) -> Result<String> {
        let resource = self.resource(name);
        if resource.is_none() && name == "ServerlessHttpApi" {
            return Ok("AWS::Serverless::HttpApi".to_owned());
        }
        let resource =
            resource.ok_or_else(|| bad(at, format!("{name} is neither a parameter nor a resource")))?;
        Ok(resource.get("Type").and_then(Yaml::as_str).unwrap_or_default().to_owned())
    }

    /// The name a resource has in this process: the one it gives itself, or one made of its logical id.
    fn physical(&self, name: &str, at: &str, depth: u8) -> Result<String> {
        let kind = self.kind(name, at)?;
        let properties = self.resource(name).and_then(|resource| resource.get("Properties"));
        let property = match kind.as_str() {
            "AWS::DynamoDB::Table" => "TableName",
            "AWS::SQS::Queue" => "QueueName",
            "AWS::Events::EventBus" | "AWS::Events::Rule" | "AWS::SES::ConfigurationSet" => "Name",
            "AWS::S3::Bucket" => "BucketName",
            "AWS::Serverless::Function" => "FunctionName",
            "AWS::Logs::LogGroup" => "LogGroupName",
            "AWS::SNS::Topic" => "TopicName",
            "AWS::CloudWatch::Alarm" => "AlarmName",
            "AWS::CloudWatch::Dashboard" => "DashboardName",
            _ => "",
        };
        if let Some(own) = properties.and_then(|all| all.get(property))
            && let Some(own) = self.resolve(own, at, depth)?
        {
            return Ok(text(&own));
        }
        let fifo = properties.and_then(|all| all.get("FifoQueue")).and_then(Yaml::as_bool) == Some(true);
        Ok(match kind.as_str() {
            "AWS::S3::Bucket" => format!("{STACK}-{}", name.to_lowercase()),
            "AWS::SQS::Queue" if fifo => format!("{STACK}-{name}.fifo"),
            _ => format!("{STACK}-{name}"),
        })
    }

    /// The physical name of a resource, for those who build it.
    pub(super) fn name_of(&self, logical: &str) -> Result<String> {
        self.physical(logical, logical, 0)
    }
}

/// An ARN of this process.
pub(crate) fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}")
}

/// The address of a queue, in the form the SDK expects.
pub(crate) fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

/// The ARN of a table's stream; its label is fixed, because a local table has one stream for life.
pub(crate) fn stream_arn(table: &str) -> String {
    arn("dynamodb", &format!("table/{table}/stream/2026-01-01T00:00:00.000"))
}

fn deeper(depth: u8, at: &str) -> Result<u8> {
    if depth >= DEEPEST { Err(bad(at, "references itself in a circle")) } else { Ok(depth + 1) }
}

/// The function and its argument, written as `!Name x` or `{Fn::Name: x}`.
fn intrinsic(yaml: &Yaml) -> Option<(String, &Yaml)> {
    if let Yaml::Tagged(tagged) = yaml {
        return Some((tagged.tag.to_string().trim_start_matches('!').to_owned(), &tagged.value));
    }
    let mapping = yaml.as_mapping().filter(|mapping| mapping.len() == 1)?;
    let (key, argument) = mapping.iter().next()?;
    match key.as_str()? {
        name @ ("Ref" | "Condition") if argument.is_string() => Some((name.to_owned(), argument)),
        name => Some((name.strip_prefix("Fn::")?.to_owned(), argument)),
    }
}

fn parameter(declared: &Yaml, value: Json, at: &str) -> Result<Json> {
    let allowed = declared.get("AllowedValues").map(|list| plain(list, at)).transpose()?;
    if let Some(Json::Array(allowed)) = allowed
        && !allowed.iter().any(|one| text(one) == text(&value))
    {
        return Err(bad(at, format!("{} is not among its AllowedValues", text(&value))));
    }
    match declared.get("Type").and_then(Yaml::as_str) {
        Some("String") => Ok(Json::String(text(&value))),
        Some("Number") => serde_json::from_str::<serde_json::Number>(&text(&value))
            .map(Json::Number)
            .map_err(|_| bad(at, "is not a number")),
        Some("CommaDelimitedList") => {
            Ok(text(&value).split(',').map(str::trim).map(Json::from).collect::<Vec<_>>().into())
        }
        other => Err(bad(at, format!("the type {} is not understood", other.unwrap_or("(none)")))),
    }
}

/// The entries of a mapping that may be missing.
pub(super) fn entries<'a>(yaml: Option<&'a Yaml>, at: &str) -> Result<Vec<(&'a str, &'a Yaml)>> {
    match yaml {
        None | Some(Yaml::Null) => Ok(Vec::new()),
        Some(other) => other
            .as_mapping()
            .ok_or_else(|| bad(at, "is not a mapping"))?
            .iter()
            .map(|(key, value)| {
                Ok((key.as_str().ok_or_else(|| bad(at, "has a key that is no text"))?, value))
            })
            .collect(),
    }
}

/// A value without intrinsic functions.
pub(super) fn plain(yaml: &Yaml, at: &str) -> Result<Json> {
    if let Yaml::Tagged(tagged) = yaml {
        return Err(bad(at, format!("{} cannot stand here", tagged.tag)));
    }
    serde_json::to_value(yaml).map_err(|error| bad(at, error.to_string()))
}

fn key_text(key: &Yaml, at: &str) -> Result<String> {
    Ok(text(&plain(key, at)?))
}

/// A scalar as CloudFormation compares and inserts it.
pub(super) fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
