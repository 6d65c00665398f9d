//! A function: its doors, and the dispatch of what AWS sends to them.
//!
//! `Function::new("orders").routes(…).on::<OrderPlacedV1>(…)` is called with an event's JSON, by the Lambda runtime or
//! by the local cloud, and tells by its shape which door it is for. Batches answer per record, so that only failures
//! come again.

use crate::queue::Again;
use crate::routes::{Operation, Routes};
use crate::world::World;
use aws_lambda_events::event::dynamodb::Event as StreamEvent;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use events::{Envelope, Payload};
use futures::future::BoxFuture;
use lambda_runtime::{LambdaEvent, service_fn};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use table::Key;
use tower::Service;

/// What is wrong with an invocation as a whole; AWS counts it as failed and tries again by its own rules.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

type OnEvent = Arc<dyn Fn(World, Value) -> BoxFuture<'static, Result<(), Again>> + Send + Sync>;
type OnBatch = Arc<dyn Fn(World, Vec<Value>) -> BoxFuture<'static, Vec<usize>> + Send + Sync>;
type OnStream = Arc<dyn Fn(World, Vec<Image>) -> BoxFuture<'static, Vec<usize>> + Send + Sync>;
type OnKey = Arc<dyn Fn(World, Key) -> BoxFuture<'static, Result<(), Again>> + Send + Sync>;
type OnObject = Arc<dyn Fn(World, Object) -> BoxFuture<'static, Result<(), Again>> + Send + Sync>;
type OnMail = Arc<dyn Fn(World, Value) -> BoxFuture<'static, Result<(), Again>> + Send + Sync>;
type OnSchedule = Arc<dyn Fn(World, Value) -> BoxFuture<'static, Result<(), Again>> + Send + Sync>;

/// What goes through the door for every event; no event is called so.
const EVERY: &str = "*";

/// A new item of the table, as its stream shows it.
pub type Image = HashMap<String, AttributeValue>;

/// A file that has come to a bucket, as S3 tells of it. What it says of the file is the sender's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    pub size: u64,
}

impl Object {
    /// None where a message tells of no file.
    fn of(body: &Value) -> Option<Self> {
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let size = body.pointer("/object/size").and_then(Value::as_u64)?;
        Some(Self { bucket: text("/bucket/name")?, key: text("/object/key")?, size })
    }
}

/// A capability as Lambda sees it; cheap to clone.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    world: World,
    routes: Option<Router>,
    operations: Vec<Operation>,
    events: BTreeMap<&'static str, OnEvent>,
    batches: BTreeMap<&'static str, OnBatch>,
    every: Option<OnBatch>,
    stream: Option<OnStream>,
    set_aside: Option<OnKey>,
    objects: Option<OnObject>,
    mail: Option<OnMail>,
    schedule: Option<OnSchedule>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What a handler of batches does with messages: those that are no such envelope must come again.
fn batch_door<P, F, Fut>(handle: F) -> OnBatch
where
    P: DeserializeOwned + Send,
    F: Fn(World, Vec<Envelope<P>>) -> Fut + Send + Sync + Clone + 'static,
    Fut: Future<Output = Vec<usize>> + Send + 'static,
{
    Arc::new(move |world, bodies| {
        let handle = handle.clone();
        Box::pin(async move {
            let read = bodies.into_iter().map(serde_json::from_value::<Envelope<P>>).enumerate();
            let (mut places, mut envelopes, mut failed) = (Vec::new(), Vec::new(), Vec::new());
            for (at, envelope) in read {
                match envelope {
                    Ok(envelope) => {
                        places.push(at);
                        envelopes.push(envelope);
                    }
                    Err(_) => failed.push(at),
                }
            }
            let again = handle(world, envelopes).await;
            failed.extend(again.into_iter().filter_map(|at| places.get(at).copied()));
            failed
        })
    })
}

impl Function {
    pub fn new(name: &'static str, world: &World) -> Self {
        Self {
            name,
            world: world.clone(),
            routes: None,
            operations: Vec::new(),
            events: BTreeMap::new(),
            batches: BTreeMap::new(),
            every: None,
            stream: None,
            set_aside: None,
            objects: None,
            mail: None,
            schedule: None,
        }
    }

    /// HTTP requests.
    #[must_use]
    pub fn routes(mut self, routes: Routes) -> Self {
        self.operations = routes.operations();
        self.routes = Some(routes.serve(&self.world));
        self
    }

    /// One kind of event from a queue.
    #[must_use]
    pub fn on<P, F, Fut>(mut self, handle: F) -> Self
    where
        P: Payload + Send,
        F: Fn(World, Envelope<P>) -> Fut + Send + Sync + Clone + 'static,
        Fut: Future<Output = Result<(), Again>> + Send + 'static,
    {
        let door: OnEvent = Arc::new(move |world, body| {
            let handle = handle.clone();
            Box::pin(async move {
                let envelope = serde_json::from_value(body).map_err(Again::Unreadable)?;
                handle(world, envelope).await
            })
        });
        self.events.insert(P::NAME, door);
        self
    }

    /// One kind of event from a queue, as many as come at once; answers the positions of those that must come again.
    /// While the table is busy the handler itself tries again.
    #[must_use]
    pub fn on_batch<P, F, Fut>(mut self, handle: F) -> Self
    where
        P: Payload + Send,
        F: Fn(World, Vec<Envelope<P>>) -> Fut + Send + Sync + Clone + 'static,
        Fut: Future<Output = Vec<usize>> + Send + 'static,
    {
        self.batches.insert(P::NAME, batch_door(handle));
        self
    }

    /// Every event from a queue that has no door of its own, whatever it is called, as many as come at once.
    #[must_use]
    pub fn on_every<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Vec<Envelope>) -> Fut + Send + Sync + Clone + 'static,
        Fut: Future<Output = Vec<usize>> + Send + 'static,
    {
        self.every = Some(batch_door(handle));
        self
    }

    /// New items from the table's stream; answers the positions of those that failed.
    #[must_use]
    pub fn stream<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Vec<Image>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<usize>> + Send + 'static,
    {
        self.stream = Some(Arc::new(move |world, images| Box::pin(handle(world, images))));
        self
    }

    /// Keys of items that were [set aside](crate::stream::set_aside) and are sent back.
    #[must_use]
    pub fn sent_back<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Key) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Again>> + Send + 'static,
    {
        self.set_aside = Some(Arc::new(move |world, key| Box::pin(handle(world, key))));
        self
    }

    /// Files that come to a bucket, as its events tell in the function's queue.
    #[must_use]
    pub fn objects<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Object) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Again>> + Send + 'static,
    {
        self.objects = Some(Arc::new(move |world, object| Box::pin(handle(world, object))));
        self
    }

    /// What SES tells of mail that it has taken, in its own words, in the function's queue.
    #[must_use]
    pub fn mail<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Again>> + Send + 'static,
    {
        self.mail = Some(Arc::new(move |world, told| Box::pin(handle(world, told))));
        self
    }

    /// A schedule's input, whose time is the schedule's own.
    #[must_use]
    pub fn schedule<F, Fut>(mut self, handle: F) -> Self
    where
        F: Fn(World, Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Again>> + Send + 'static,
    {
        self.schedule = Some(Arc::new(move |world, input| Box::pin(handle(world, input))));
        self
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What its routes take, in the order of its table.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Whether it takes every event, beside those that have doors of their own.
    pub fn takes_every(&self) -> bool {
        self.every.is_some()
    }

    /// The events that have doors of their own, in the order of their names.
    pub fn handles(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.events.keys().chain(self.batches.keys()).copied().collect();
        names.sort_unstable();
        names
    }

    /// Whether it takes keys of items that were set aside.
    pub fn takes_keys(&self) -> bool {
        self.set_aside.is_some()
    }

    /// One invocation: an event's JSON in, an answer's JSON out.
    pub async fn call(&self, event: Value) -> Result<Value, Error> {
        let source = event.pointer("/Records/0/eventSource").and_then(Value::as_str);
        match source {
            Some("aws:sqs") => self.work_off(serde_json::from_value(event)?).await,
            Some("aws:dynamodb") => self.follow(serde_json::from_value(event)?).await,
            Some(other) => Err(format!("{} takes no event from {other}", self.name).into()),
            None if event.pointer("/requestContext/http").is_some() => self.answer(event).await,
            None => self.run_schedule(event).await,
        }
    }

    /// Serves the Lambda runtime until the sandbox ends.
    pub async fn run(self) -> Result<(), Error> {
        lambda_http::tracing::init_default_subscriber();
        let function = &self;
        let invoke = async |event: LambdaEvent<Value>| {
            function.world.clock.refresh().await?;
            function.call(event.payload).await
        };
        lambda_runtime::run(service_fn(invoke)).await
    }

    async fn answer(&self, event: Value) -> Result<Value, Error> {
        let routes = self.routes.clone().ok_or_else(|| format!("{} has no routes", self.name))?;
        let request = serde_json::from_value(event)?;
        let event = LambdaEvent::new(request, lambda_runtime::Context::default());
        // A router is always ready; the adapter itself must not live across the wait.
        let answer = lambda_http::Adapter::from(routes).call(event);
        let response = answer.await?;
        Ok(serde_json::to_value(response)?)
    }

    /// One after the other: a batch is small, and order costs nothing. What has a door for batches goes there together.
    async fn work_off(&self, batch: SqsEvent) -> Result<Value, Error> {
        let mut failed: Vec<String> = Vec::new();
        let mut together: BTreeMap<&'static str, (Vec<String>, Vec<Value>)> = BTreeMap::new();
        for message in batch.records {
            let id = message.message_id.unwrap_or_default();
            let body = serde_json::from_str::<Value>(message.body.as_deref().unwrap_or_default());
            let handled = match body {
                Err(error) => Err(Again::Unreadable(error)),
                Ok(body) => match self.batch_door(&body) {
                    Some(name) => {
                        let (ids, bodies) = together.entry(name).or_default();
                        ids.push(id.clone());
                        bodies.push(body);
                        Ok(())
                    }
                    None => self.handle(body).await,
                },
            };
            if let Err(again) = handled {
                let (error, function) = (crate::chain(&again), self.name);
                tracing::warn!(error, function, message = id, "the message will come again");
                failed.push(id);
            }
        }
        for (name, (ids, bodies)) in together {
            let Some(door) = self.batches.get(name).or(self.every.as_ref()) else { continue };
            let again = door(self.world.clone(), bodies).await;
            if !again.is_empty() {
                tracing::warn!(function = self.name, name, messages = again.len(), "they will come again");
            }
            failed.extend(again.into_iter().filter_map(|at| ids.get(at).cloned()));
        }
        let mut answer = SqsBatchResponse::default();
        for id in failed {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            answer.batch_item_failures.push(failure);
        }
        Ok(serde_json::to_value(answer)?)
    }

    /// The name under which events go together through a door for whole batches, if there is one for this.
    fn batch_door(&self, body: &Value) -> Option<&'static str> {
        let name = body.get("name").and_then(Value::as_str)?;
        let named = self.batches.get_key_value(name).map(|(name, _)| *name);
        let every = || (self.every.is_some() && !self.events.contains_key(name)).then_some(EVERY);
        named.or_else(every)
    }

    async fn handle(&self, body: Value) -> Result<(), Again> {
        if let Some(door) = &self.set_aside {
            let key: Key = serde_json::from_value(body).map_err(Again::Unreadable)?;
            return self.world.until_free(|| door(self.world.clone(), key.clone())).await;
        }
        if let Some(door) = &self.objects
            && let Some(object) = Object::of(&body)
        {
            return self.world.until_free(|| door(self.world.clone(), object.clone())).await;
        }
        if let Some(door) = &self.mail
            && body.get("eventType").is_some()
        {
            return self.world.until_free(|| door(self.world.clone(), body.clone())).await;
        }
        let name = body.get("name").and_then(Value::as_str).unwrap_or_default();
        let door = self.events.get(name).ok_or_else(|| Again::Unknown(name.to_owned()))?;
        self.world.until_free(|| door(self.world.clone(), body.clone())).await
    }

    async fn follow(&self, batch: StreamEvent) -> Result<Value, Error> {
        let door = self.stream.as_ref().ok_or_else(|| format!("{} follows no stream", self.name))?;
        let sequence: Vec<_> =
            batch.records.iter().map(|record| record.change.sequence_number.clone()).collect();
        let images = batch.records.into_iter().map(|record| Image::from(record.change.new_image)).collect();
        let mut answer = DynamoDbEventResponse::default();
        for failed in door(self.world.clone(), images).await {
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = sequence.get(failed).cloned().flatten();
            answer.batch_item_failures.push(failure);
        }
        Ok(serde_json::to_value(answer)?)
    }

    async fn run_schedule(&self, input: Value) -> Result<Value, Error> {
        let door = self.schedule.as_ref().ok_or_else(|| format!("{} does not know this event", self.name))?;
        door(self.world.clone(), input).await?;
        Ok(Value::Null)
    }
}
