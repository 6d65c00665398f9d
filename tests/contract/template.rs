//! The template by itself: what must hold of every function, queue and policy in it.

use crate::files::{none, read};
use serde_json::{Map, Value, json};
use serde_norway::Value as Yaml;
use souk::cloud::Template;
use std::collections::BTreeSet;

const REPAIR: &str = "correct infra/template.yaml";
/// How long a table's stream keeps a record, in seconds.
const DAY: i64 = 86_400;
/// CloudFormation takes 500; some room is left for what comes.
const RESOURCES_MAX: usize = 400;

/// Lambda takes so many bytes of variables, names and values together.
const VARIABLES_MAX: usize = 4_096;
/// Letters that CloudFormation puts around a logical name, in a stack whose own name has twenty.
const AROUND: usize = 20 + "--0123456789ABC".len();
/// What an address has beside a name.
const PLACE: usize = "https://sqs.ap-southeast-2.amazonaws.com/123456789012/".len();

/// The template as it is written: tags become members (`!Ref A` is `{"Ref": "A"}`), nothing is resolved.
pub(crate) struct Raw {
    resources: Map<String, Value>,
    globals: Value,
}

impl Raw {
    pub(crate) fn read() -> Self {
        let yaml: Yaml = serde_norway::from_str(&read("infra/template.yaml")).expect("the template is YAML");
        let mut root = plain(&yaml);
        let Value::Object(resources) = root["Resources"].take() else { panic!("the template has Resources") };
        Self { resources, globals: root["Globals"]["Function"].take() }
    }

    /// A resource; null where there is none.
    pub(crate) fn resource(&self, logical: &str) -> &Value {
        self.resources.get(logical).unwrap_or(&Value::Null)
    }

    /// Logical name and properties of every resource of a type.
    pub(crate) fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let resources = self.resources.iter().filter(|(_, resource)| resource["Type"] == kind);
        resources.map(|(logical, resource)| (logical.as_str(), &resource["Properties"])).collect()
    }

    /// Logical name, crate and properties of every function.
    pub(crate) fn functions(&self) -> Vec<(&str, String, &Value)> {
        let functions = self.of_type("AWS::Serverless::Function").into_iter();
        let named = functions.map(|(logical, function)| {
            let code = function["CodeUri"].as_str().unwrap_or_default();
            (logical, code.rsplit('/').next().unwrap_or_default().to_owned(), function)
        });
        named.collect()
    }

    /// The logical name that a `!Ref` or `!GetAtt` is about.
    pub(crate) fn referred(value: &Value) -> Option<String> {
        let name = value.get("Ref").or_else(|| value.get("Fn::GetAtt")?.get(0));
        name.and_then(Value::as_str).map(str::to_owned)
    }

    /// About how long a value is once CloudFormation has resolved it.
    fn length(&self, value: &Value) -> usize {
        let of_name = |name: &str| match name.split_once('.') {
            Some((logical, "QueueName")) => logical.len() + AROUND,
            Some((logical, _)) => logical.len() + AROUND + PLACE,
            None if name.starts_with("AWS::") => "ap-southeast-2".len(),
            None => name.len() + AROUND + PLACE,
        };
        let member = |name: &str| value.get(name);
        if let Some(name) = member("Ref").and_then(Value::as_str) {
            return of_name(name);
        }
        if let Some(text) = member("Fn::Sub").and_then(Value::as_str) {
            let mut pieces = text.split("${");
            let first = pieces.next().map(str::len).unwrap_or_default();
            let rest = pieces.filter_map(|piece| piece.split_once('}'));
            return first + rest.map(|(name, after)| of_name(name) + after.len()).sum::<usize>();
        }
        match (member("Fn::If").or(member("Fn::GetAtt")).and_then(Value::as_array), value.as_str()) {
            (Some(parts), _) => parts.iter().map(|part| self.length(part)).max().unwrap_or_default(),
            (None, text) => text.map(str::len).unwrap_or_default(),
        }
    }

    /// Whether a function has the queue's address in its environment.
    pub(crate) fn is_addressed(&self, queue: &str) -> bool {
        self.functions().iter().any(|(_, _, function)| {
            let variables = function["Environment"]["Variables"].as_object().into_iter().flatten();
            variables.into_iter().any(|(_, value)| Self::referred(value).as_deref() == Some(queue))
        })
    }

    /// Whether a function may set items aside: its own dead-letter queue, of a queue that it reads.
    fn is_set_aside(&self, crate_name: &str) -> bool {
        self.functions().iter().filter(|(_, name, _)| name == crate_name).any(|(_, _, function)| {
            let dead = Self::referred(&function["Environment"]["Variables"]["DEAD"]);
            let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
            let queues = events.filter_map(|event| Self::referred(&event["Properties"]["Queue"]));
            let mut given_up = queues.filter_map(|queue| {
                let policy = &self.resource(&queue)["Properties"]["RedrivePolicy"];
                Self::referred(&policy["deadLetterTargetArn"])
            });
            dead.is_some_and(|dead| given_up.any(|queue| queue == dead))
        })
    }

    /// Queues that others give up to.
    pub(crate) fn dead_letter_queues(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for resource in self.resources.values() {
            dead_letters(resource, &mut found);
        }
        found
    }

    /// Every policy statement of a function.
    pub(crate) fn statements(function: &Value) -> impl Iterator<Item = &Value> {
        let policies = function["Policies"].as_array().into_iter().flatten();
        policies.flat_map(|policy| policy["Statement"].as_array().into_iter().flatten())
    }
}

fn plain(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let tag = tag.trim_start_matches('!');
            let value = plain(&tagged.value);
            match (tag, value.as_str().and_then(|text| text.split_once('.'))) {
                ("GetAtt", Some((logical, attribute))) => json!({ "Fn::GetAtt": [logical, attribute] }),
                ("Ref" | "Condition", _) => json!({ tag: value }),
                (tag, _) => json!({ format!("Fn::{tag}"): value }),
            }
        }
        Yaml::Sequence(items) => items.iter().map(plain).collect(),
        Yaml::Mapping(members) => {
            let text = |key: &Yaml| key.as_str().expect("keys are texts").to_owned();
            Value::Object(members.iter().map(|(key, value)| (text(key), plain(value))).collect())
        }
        Yaml::Null | Yaml::Bool(_) | Yaml::Number(_) | Yaml::String(_) => {
            serde_json::to_value(yaml).expect("a scalar is JSON")
        }
    }
}

fn dead_letters(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let redrive = members.get("deadLetterTargetArn");
            let failure = members.get("OnFailure").map(|to| &to["Destination"]);
            let config = members.get("DeadLetterConfig").map(|to| &to["Arn"]);
            let own = members.get("DeadLetterQueue").map(|to| &to["TargetArn"]);
            found.extend([redrive, failure, config, own].into_iter().flatten().filter_map(Raw::referred));
            members.values().for_each(|value| dead_letters(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| dead_letters(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn understood() -> Template {
    Template::read(&read("infra/template.yaml"), &[].into())
        .expect("the local cloud understands the template")
}

#[test]
fn a_queue_hides_messages_six_times_as_long_as_its_function_may_run_and_gives_up_to_a_dead_letter_queue() {
    let (raw, template) = (Raw::read(), understood());
    let mut complaints = Vec::new();
    for source in &template.consumers {
        let (queue, function) = (&template.queues[&source.queue], &template.functions[&source.function]);
        let want = function.timeout * 6;
        if queue.visibility < want {
            let found = queue.visibility;
            complaints.push(format!("{}: VisibilityTimeout {found}, want {want} or more", queue.name));
        }
        if queue.redrive.is_none() {
            complaints.push(format!("{}: a message that always fails comes again for ever", queue.name));
        }
        if !source.partial {
            complaints
                .push(format!("{}: without ReportBatchItemFailures one failure repeats all", source.id));
        }
    }
    for source in &template.streams {
        if !source.partial || !source.bisect || !raw.is_set_aside(&source.function) {
            complaints.push(format!("{}: one bad record blocks the stream", source.id));
        }
        let kept = source.age.is_some_and(|age| (DAY / 2..DAY).contains(&age));
        if source.retries.is_some() || !kept || source.on_failure.is_none() {
            complaints.push(format!("{}: an outage loses records, or loses them in silence", source.id));
        }
    }
    none(complaints, REPAIR);
}

#[test]
fn whoever_calls_gateways_or_the_carrier_of_mails_from_a_queue_is_bounded() {
    let (raw, template) = (Raw::read(), understood());
    let bounded = |name: &str| {
        let mut sources = template.consumers.iter().filter(|source| source.function == name);
        sources.all(|source| source.at_once.is_some())
    };
    let mut complaints = Vec::new();
    for (logical, name, function) in raw.functions() {
        let gateways = read(&format!("functions/{name}/Cargo.toml")).contains("gateway.workspace");
        let mut actions =
            Raw::statements(function).flat_map(|one| one["Action"].as_array().into_iter().flatten());
        let mails = actions.any(|action| action == "ses:SendEmail");
        if (gateways || mails) && !bounded(&name) {
            complaints
                .push(format!("{logical}: without MaximumConcurrency it calls as often as a queue is long"));
        }
    }
    none(complaints, REPAIR);
}

#[test]
fn a_dead_letter_queue_keeps_longest_and_is_in_an_alarm() {
    let raw = Raw::read();
    let mut watched = BTreeSet::new();
    for (_, alarm) in raw.of_type("AWS::CloudWatch::Alarm") {
        let metrics = alarm["Metrics"].as_array().map_or(&[][..], Vec::as_slice);
        let sum = metrics.iter().find_map(|metric| metric["Expression"].as_str()).unwrap_or_default();
        // A queue that was idle for hours has no data points: it counts as empty, or the sum would have none either.
        let summed =
            sum.split('+').filter_map(|term| term.trim().strip_prefix("FILL(")?.strip_suffix(", 0)"));
        let summed: BTreeSet<&str> = summed.collect();
        assert!(metrics.len() <= 10, "CloudWatch takes ten metrics of an alarm");
        for metric in metrics.iter().filter(|metric| metric["MetricStat"].is_object()) {
            let id = metric["Id"].as_str().unwrap_or_default();
            let queue = Raw::referred(&metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]);
            watched.extend(queue.filter(|_| summed.contains(id)));
        }
    }
    let dead = raw.dead_letter_queues();
    let mut complaints: Vec<String> = dead
        .symmetric_difference(&watched)
        .map(|queue| format!("{queue}: in no sum of a dead-letter alarm, or no dead-letter queue"))
        .collect();
    let kept = |queue: &str| raw.resource(queue)["Properties"]["MessageRetentionPeriod"].as_u64();
    complaints.extend(
        dead.iter()
            .filter(|queue| kept(queue) != Some(14 * 86_400))
            .map(|queue| format!("{queue}: want MessageRetentionPeriod 1209600, fourteen days")),
    );
    none(complaints, REPAIR);
}

#[test]
fn an_operator_sees_every_dead_letter_queue_and_sends_back_to_the_one_that_gave_up_to_it() {
    let raw = Raw::read();
    let admin = &raw.resource("Admin")["Properties"]["Environment"]["Variables"]["DEAD_LETTERS"]["Fn::Sub"];
    let named = |word: &str| word.strip_prefix("${")?.strip_suffix(".QueueName}").map(str::to_owned);
    let mut shown = std::collections::BTreeMap::new();
    for line in admin.as_str().expect("DEAD_LETTERS is a Sub").split(',') {
        let mut queues = line.split_whitespace().filter_map(named);
        shown.insert(queues.next().expect("a dead-letter queue"), queues.next());
    }
    let queues = raw.of_type("AWS::SQS::Queue").into_iter();
    let origins: std::collections::BTreeMap<String, &str> = queues
        .filter_map(|(queue, of)| Some((Raw::referred(&of["RedrivePolicy"]["deadLetterTargetArn"])?, queue)))
        .collect();
    let dead = raw.dead_letter_queues();
    let missing = dead.iter().filter(|queue| !shown.contains_key(*queue));
    let missing = missing.map(|queue| format!("{queue}: not in DEAD_LETTERS of Admin"));
    let wrong = shown.iter().filter(|(queue, origin)| {
        !dead.contains(*queue) || origins.get(*queue).copied() != origin.as_deref()
    });
    none(missing.chain(wrong.map(|(queue, origin)| format!("{queue}: sent back to {origin:?}"))), REPAIR);
}

#[test]
fn rules_may_send_to_every_queue_that_they_target_and_to_no_other() {
    let raw = Raw::read();
    let rules = raw.of_type("AWS::Events::Rule").into_iter();
    let targets = rules.flat_map(|(_, rule)| rule["Targets"].as_array().into_iter().flatten());
    // What a queue does not take is kept: every target names where.
    let both = targets.flat_map(|target| [&target["Arn"], &target["DeadLetterConfig"]["Arn"]]);
    let targets: BTreeSet<String> = both
        .map(|queue| Raw::referred(queue).unwrap_or_else(|| "a target without dead letters".to_owned()))
        .collect();
    let allowed = &raw.resource("QueuePolicy")["Properties"]["Queues"];
    let allowed = allowed.as_array().into_iter().flatten().filter_map(Raw::referred).collect();
    let differ = targets.symmetric_difference(&allowed);
    none(differ.map(|queue| format!("{queue}: targeted by a rule, or in QueuePolicy, not both")), REPAIR);
}

#[test]
fn every_function_has_a_log_group_that_forgets() {
    let raw = Raw::read();
    let groups = raw.of_type("AWS::Logs::LogGroup");
    let group = |logical: &str| {
        let name = format!("/aws/lambda/${{{logical}}}");
        let mine = |found: &&Value| found["LogGroupName"]["Fn::Sub"] == name.as_str();
        groups.iter().map(|(_, group)| *group).find(mine)
    };
    let functions = raw.functions().into_iter();
    let without = functions
        .filter(|(logical, ..)| group(logical).is_none_or(|group| group["RetentionInDays"].is_null()));
    none(without.map(|(logical, ..)| format!("{logical}: no log group with RetentionInDays")), REPAIR);
}

#[test]
fn no_function_may_do_everything_or_touch_every_table() {
    let raw = Raw::read();
    let mut complaints = Vec::new();
    for (logical, _, function) in raw.functions() {
        if Raw::statements(function).next().is_none() {
            complaints.push(format!("{logical}: has no policy statement of its own"));
        }
        for statement in Raw::statements(function) {
            let list = |name: &str| {
                let one = || vec![statement[name].clone()];
                statement[name].as_array().cloned().unwrap_or_else(one)
            };
            let wild = |action: &Value| action.as_str().is_none_or(|action| action.contains('*'));
            complaints.extend(
                list("Action")
                    .iter()
                    .filter(|action| wild(action))
                    .map(|action| format!("{logical}: the action {action} is too much")),
            );
            let all = list("Resource")
                .iter()
                .any(|resource| resource.as_str().is_some_and(|text| text.ends_with('*')));
            if all {
                complaints.push(format!("{logical}: a statement for every resource"));
            }
            let scans = list("Action").iter().any(|action| action == "dynamodb:Scan");
            if scans {
                complaints.push(format!("{logical}: no request and no schedule scans the table"));
            }
        }
    }
    none(complaints, "name the actions and the resources that the function's code needs in its policy");
}

#[test]
fn the_stack_stays_far_below_the_bound_of_cloudformation() {
    let raw = Raw::read();
    let events = |function: &Value| -> usize {
        let events = function["Events"].as_object().into_iter().flat_map(|events| events.values());
        // A permission or a mapping each; a schedule has a role too.
        events.map(|event| if event["Type"] == "ScheduleV2" { 2 } else { 1 }).sum()
    };
    let count: usize = raw
        .resources
        .values()
        .map(|resource| match resource["Type"].as_str() {
            // The function and its role.
            Some("AWS::Serverless::Function") => 2 + events(&resource["Properties"]),
            // The API and its stage.
            Some("AWS::Serverless::HttpApi") => 2,
            Some(_) | None => 1,
        })
        .sum();
    assert!(
        count <= RESOURCES_MAX,
        "{count} resources: use one proxy route per function, or split the stack"
    );
}

#[test]
fn sam_makes_nothing_under_a_name_that_is_taken() {
    let raw = Raw::read();
    let mut complaints = Vec::new();
    for (logical, _, function) in raw.functions() {
        // What SAM makes of an event is called after the function and the event.
        for event in function["Events"].as_object().into_iter().flat_map(|events| events.keys()) {
            let made = format!("{logical}{event}");
            if !raw.resource(&made).is_null() {
                complaints.push(format!("{made}: call the event {event} of {logical} something else"));
            }
        }
    }
    none(complaints, REPAIR);
}

#[test]
fn the_variables_of_a_function_are_no_more_than_lambda_takes() {
    let raw = Raw::read();
    let size = |of: &Value| -> usize {
        let variables = of["Environment"]["Variables"].as_object().into_iter().flatten();
        variables.map(|(name, value)| name.len() + raw.length(value)).sum()
    };
    let sizes = raw.functions().into_iter().map(|(logical, _, function)| (logical, size(function)));
    let large = sizes.map(|(logical, own)| (logical, own + size(&raw.globals)));
    let large = large.filter(|(_, size)| *size > VARIABLES_MAX);
    none(large.map(|(logical, size)| format!("{logical}: {size} bytes of variables")), REPAIR);
}

#[test]
fn the_streams_filter_names_the_kind_of_outbox_items() {
    let raw = Raw::read();
    let mut filters = Vec::new();
    for (logical, _, function) in raw.functions() {
        for event in function["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            let patterns = event["Properties"]["FilterCriteria"]["Filters"].as_array().into_iter().flatten();
            filters.extend(patterns.map(|filter| (logical, filter["Pattern"].as_str().unwrap_or_default())));
        }
    }
    assert!(!filters.is_empty(), "the streams are found");
    let kind = format!("[\"{}\"]", table::outbox::KIND);
    let strange = filters.into_iter().filter(|(_, pattern)| !pattern.contains(&kind));
    none(strange.map(|(logical, pattern)| format!("{logical}: {pattern} does not name {kind}")), REPAIR);
}

#[test]
fn the_template_sets_every_variable_that_a_function_asks_for_and_no_other() {
    let raw = Raw::read();
    let global = raw.globals["Environment"]["Variables"].as_object();
    let global: BTreeSet<&str> = global.into_iter().flat_map(|all| all.keys()).map(String::as_str).collect();
    let mut complaints = Vec::new();
    for (logical, name, function) in raw.functions() {
        let mut asked = asked_variables(&format!("functions/{name}/src"));
        if read(&format!("functions/{name}/Cargo.toml")).contains("gateway.workspace") {
            asked.extend(asked_variables("shared/gateway/src"));
        }
        let own = function["Environment"]["Variables"].as_object();
        let own: BTreeSet<String> = own.into_iter().flat_map(|all| all.keys().cloned()).collect();
        let unset = asked.iter().filter(|name| !own.contains(*name) && !global.contains(name.as_str()));
        complaints
            .extend(unset.map(|name| format!("{logical}: asks for {name}, which the template does not set")));
        let unasked = own.difference(&asked);
        complaints.extend(
            unasked.map(|name| format!("{logical}: the template sets {name}, for which nobody asks")),
        );
    }
    none(complaints, REPAIR);
}

/// The names in `variable("…")`, `Bucket::of(world, "…")` and `Front::of(world, "…")` of a crate's sources.
fn asked_variables(folder: &str) -> BTreeSet<String> {
    let sources =
        crate::files::stems(folder, ".rs").into_iter().map(|stem| read(&format!("{folder}/{stem}.rs")));
    let mut names = BTreeSet::new();
    for source in sources {
        let variables = source.split("variable(\"").skip(1);
        let second = |of: &'static str| source.split(of).skip(1);
        let second = second("Bucket::of(").chain(second("Front::of("));
        let second = second.filter_map(|rest| Some(rest.split_once('"')?.1));
        names.extend(variables.chain(second).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
    }
    names
}
