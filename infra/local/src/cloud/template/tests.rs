use super::*;

fn read(resources: &str) -> Result<Template, TemplateError> {
    Template::read(resources, &BTreeMap::new())
}

fn refusal(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

const FUNCTION: &str = "
Resources:
  Toy:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/toy
";

#[test]
fn whatever_is_not_understood_is_an_error_that_names_it() {
    let table = [
        ("Resources: { A: { Type: AWS::SES::Identity } }", "the type AWS::SES::Identity"),
        ("Resources: { A: { Type: AWS::SQS::Queue, Shape: round } }", "Shape"),
        ("Sauce: hot", "the section Sauce"),
        ("Parameters: { P: { Type: String } }", "Parameters.P"),
        ("Resources: { A: { Type: AWS::Serverless::Function, Properties: { CodeUri: ./src } } }", "CodeUri"),
        (
            "Resources: { A: { Type: AWS::Serverless::HttpApi, Properties: { StageName: prod } } }",
            "$default stage",
        ),
    ];
    for (text, expected) in table {
        let refusal = refusal(text);
        assert!(refusal.contains(expected), "{text}\n{refusal}");
    }
}

#[test]
fn a_distribution_shows_what_the_policy_of_its_bucket_opens_and_nothing_else_is_understood() {
    let template = |distribution: &str, resource: &str| {
        format!(
            "
Resources:
  Files: {{ Type: AWS::S3::Bucket }}
  Access: {{ Type: AWS::CloudFront::OriginAccessControl }}
  Front:
    Type: AWS::CloudFront::Distribution
    Properties:
      DistributionConfig:
        {distribution}
        DefaultCacheBehavior: {{ TargetOriginId: files }}
        Origins:
          - Id: files
            DomainName: !GetAtt Files.RegionalDomainName
            OriginAccessControlId: !GetAtt Access.Id
            S3OriginConfig: {{ OriginAccessIdentity: '' }}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Files
      PolicyDocument:
        Statement:
          - Effect: Allow
            Principal: {{ Service: cloudfront.amazonaws.com }}
            Action: s3:GetObject
            Resource: {resource}
"
        )
    };
    let read_ok = read(&template("Enabled: true", "!Sub '${Files.Arn}/media/*'")).unwrap();
    let shown: Vec<_> = read_ok.shown.iter().map(|shown| (&*shown.bucket, &*shown.begins)).collect();
    assert_eq!((read_ok.fronts, shown), (vec!["souk-files".to_owned()], vec![("souk-files", "media/")]));
    for (distribution, resource, expected) in [
        ("Enabled: false", "!Sub '${Files.Arn}/media/*'", "one bucket"),
        ("Enabled: true\n        Aliases: [a.example]", "!Sub '${Files.Arn}/*'", "Aliases"),
        ("Enabled: true", "arn:aws:s3:::others/*", "this bucket's names"),
    ] {
        let refusal = refusal(&template(distribution, resource));
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn a_property_that_is_not_understood_is_an_error_that_names_it() {
    let table = [
        ("Color: red", "`Color`"),
        ("DelaySeconds: !Cidr [a]", "Cidr"),
        ("QueueName: !Ref Nobody", "Nobody"),
        ("QueueName: !GetAtt B.Smell", "B.Smell"),
        ("QueueName: !GetAtt A.Arn", "circle"),
        (
            "RedrivePolicy: { deadLetterTargetArn: 'arn:aws:sqs:x:0:none', maxReceiveCount: 3 }",
            "no queue none",
        ),
        ("RedrivePolicy: { deadLetterTargetArn: !GetAtt B.Arn }", "maxReceiveCount"),
    ];
    for (property, expected) in table {
        let other = "B: { Type: AWS::SQS::Queue }";
        let own = format!("A: {{ Type: AWS::SQS::Queue, Properties: {{ {property} }} }}");
        let refusal = refusal(&format!("Resources: {{ {other}, {own} }}"));
        assert!(refusal.contains(expected), "{property}\n{refusal}");
    }
}

#[test]
fn a_rule_has_queues_as_its_targets_and_nothing_else() {
    let text = "
Resources:
  A:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: { source: [a] }
      Targets: [{ Id: f, Arn: 'arn:aws:lambda:x:0:function:f' }]
";
    assert!(refusal(text).contains("is no queue"));
    let path = text.replace("'arn:aws:lambda:x:0:function:f'", "'arn:aws:sqs:x:0:q', InputPath: '$.a[0]'");
    assert!(refusal(&path).contains("InputPath"));
}

#[test]
fn an_event_that_is_not_understood_is_an_error_that_names_it() {
    let filter = r#"Queue: q, FilterCriteria: { Filters: [{ Pattern: '{"body":{"a":[{"cidr":"x"}]}}' }] }"#;
    let table = [
        ("Schedule", "Schedule: rate(1 day)", "the event type Schedule"),
        ("HttpApi", "Path: /, Method: GET, Auth: { Authorizer: X }", "`Auth`"),
        ("SQS", "Queue: 'arn:aws:sqs:us-east-1:0:none'", "no queue none"),
        ("SQS", filter, "cidr"),
        ("SQS", "Queue: q, BatchSize: 90", "MaximumBatchingWindowInSeconds"),
        ("SQS", "Queue: q, ScalingConfig: { MaximumConcurrency: 2, Minimum: 1 }", "Minimum"),
        ("ScheduleV2", "ScheduleExpression: sometimes", "sometimes"),
        ("DynamoDB", "Stream: 'a:table/t/stream/x', StartingPosition: LATEST", "no table t"),
    ];
    for (kind, properties, expected) in table {
        let event = format!("E: {{ Type: {kind}, Properties: {{ {properties} }} }}");
        let refusal = refusal(&format!("{FUNCTION}      Events: {{ {event} }}\n"));
        assert!(refusal.contains(expected), "{event}\n{refusal}");
    }
}

#[test]
fn references_conditions_and_maps_resolve() {
    let text = "
Parameters:
  Stage: { Type: String, Default: dev }
  Days: { Type: Number, Default: 4 }
Mappings: { Sizes: { dev: { Max: 7 }, prod: { Max: 9 } } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
  Both: !And [!Condition IsProd, !Equals [a, a]]
  Any: !Or [!Condition IsProd, !Equals [a, a]]
Globals: { Function: { Environment: { Variables: { A: global, B: global } } } }
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub 'q-${Stage}-${AWS::Region}'
      MessageRetentionPeriod: !Ref Days
      DelaySeconds: !If [Both, 1, !Ref 'AWS::NoValue']
  Prod: { Type: AWS::SQS::Queue, Condition: IsProd }
  Toy:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/toy
      Environment:
        Variables:
          B: own
          URL: !Ref Queue
          ARN: !GetAtt [Queue, Arn]
          MAX: !FindInMap [Sizes, !Ref Stage, Max]
          MIX: !Sub ['${Name}/${!Literal}/${Queue.QueueName}', { Name: !Ref Stage }]
          ANY: !If [Any, 'yes', 'no']
          NOT: { 'Fn::If': [NotProd, 'yes', 'no'] }
          OUT: !GetAtt Toy.Arn
Outputs:
  Url: { Value: !Ref Queue }
  Gone: { Condition: IsProd, Value: !GetAtt Prod.Arn }
";
    let template = read(text).unwrap();
    let queue = &template.queues["q-dev-us-east-1"];
    assert_eq!((template.queues.len(), queue.retention, queue.delay), (1, 4, 0));
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/q-dev-us-east-1";
    let expected = [
        ("A", "global"),
        ("ANY", "yes"),
        ("ARN", "arn:aws:sqs:us-east-1:000000000000:q-dev-us-east-1"),
        ("B", "own"),
        ("MAX", "7"),
        ("MIX", "dev/${Literal}/q-dev-us-east-1"),
        ("NOT", "yes"),
        ("OUT", "arn:aws:lambda:us-east-1:000000000000:function:souk-Toy"),
        ("URL", url),
    ];
    let environment: Vec<_> = template.functions["toy"]
        .environment
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(environment, expected);
    assert_eq!(template.outputs, [("Url".to_owned(), url.to_owned())].into());
}

#[test]
fn given_parameters_replace_defaults_and_must_be_declared_and_allowed() {
    let text = "
Parameters: { P: { Type: String, Default: a, AllowedValues: [a, b] } }
Outputs: { O: { Value: !Ref P } }
";
    let read = |name: &str, value: &str| Template::read(text, &[(name.to_owned(), value.to_owned())].into());
    assert_eq!(read("P", "b").unwrap().outputs["O"], "b");
    assert!(read("P", "c").unwrap_err().to_string().contains("AllowedValues"));
    assert!(read("Q", "b").unwrap_err().to_string().contains("no parameter Q"));
}

#[test]
fn a_queue_must_hide_messages_for_as_long_as_its_function_may_take() {
    let text = "
Resources:
  Queue: { Type: AWS::SQS::Queue, Properties: { VisibilityTimeout: 5 } }
  Toy:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/toy
      Timeout: 10
      Events: { E: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } } }
";
    assert!(refusal(text).contains("hides messages for less than"));
}

#[test]
fn a_queue_is_read_in_batches_of_a_size_with_a_window_and_so_many_at_once() {
    let text = "
Resources:
  Queue: { Type: AWS::SQS::Queue }
  Toy:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ../target/lambda/toy
      Events:
        Plain: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
        Large:
          Type: SQS
          Properties:
            Queue: !GetAtt Queue.Arn
            BatchSize: 90
            MaximumBatchingWindowInSeconds: 2
            ScalingConfig: { MaximumConcurrency: 2 }
";
    let template = Template::read(text, &BTreeMap::new()).unwrap();
    let read = template.consumers.iter().map(|source| (source.batch, source.window, source.at_once));
    let mut read: Vec<_> = read.collect();
    read.sort_unstable();
    assert_eq!(read, [(10, 0, None), (90, 2, Some(2))]);
}

#[test]
fn types_without_behavior_here_are_accepted_with_their_known_properties() {
    let text = "
Resources:
  Topic: { Type: AWS::SNS::Topic }
  Log: { Type: AWS::Logs::LogGroup, Properties: { RetentionInDays: 14 } }
  Queue: { Type: AWS::SQS::Queue }
  Policy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement: [{ Effect: Allow, Resource: !GetAtt Queue.Arn, Condition: { ArnEquals: { a: b } } }]
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmActions: [!Ref Topic]
      Dimensions: [{ Name: Q, Value: !GetAtt Queue.QueueName }]
";
    read(text).unwrap();
}

#[test]
fn what_ses_tells_of_mail_is_understood_or_an_error_that_names_it() {
    let set = "Set: { Type: AWS::SES::ConfigurationSet }";
    let told = |set: &str, kinds: &str, to: &str| {
        let destination = format!("{{ Enabled: true, MatchingEventTypes: [{kinds}], {to} }}");
        format!(
            "Told: {{ Type: AWS::SES::ConfigurationSetEventDestination, Properties: \
             {{ ConfigurationSetName: {set}, EventDestination: {destination} }} }}"
        )
    };
    let bus = |name: &str| {
        format!("EventBridgeDestination: {{ EventBusArn: 'arn:aws:events:x:0:event-bus/{name}' }}")
    };
    let good = told("!Ref Set", "bounce, complaint", &bus("default"));
    let template = read(&format!("Resources: {{ {good}, {set} }}")).unwrap();
    assert_eq!(template.mail_reports[0].set, template.mail_sets[0]);
    assert_eq!(template.mail_reports[0].kinds, ["bounce", "complaint"]);
    for (resource, expected) in [
        (told("nobody", "bounce", &bus("default")), "no such configuration set"),
        (told("!Ref Set", "bounce", &bus("mine")), "the default bus only"),
        (told("!Ref Set", "bounce, open", &bus("default")), "the type open"),
        (told("!Ref Set", "bounce", "SnsDestination: { TopicARN: x }"), "SnsDestination"),
    ] {
        let refusal = refusal(&format!("Resources: {{ {set}, {resource} }}"));
        assert!(refusal.contains(expected), "{resource}\n{refusal}");
    }
}
