//! A client that stands in the way of one operation of the table: it halts a call until it may go on, or answers the
//! first ones as DynamoDB does while a transaction has the item.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use souk::cloud::{Called, in_the_way};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// This call waits; they are counted from 1.
    Halts(usize),
    /// So many calls are in conflict.
    Refuses(usize),
}

#[derive(Debug)]
pub(crate) struct Turnstile {
    operation: &'static str,
    way: Way,
    calls: AtomicUsize,
    reached: Semaphore,
    open: Semaphore,
}

impl Turnstile {
    /// The configuration with it in the way.
    pub(crate) fn in_the_way(config: SdkConfig, operation: &'static str, way: Way) -> (SdkConfig, Arc<Self>) {
        let (calls, reached, open) = (AtomicUsize::new(0), Semaphore::new(0), Semaphore::new(0));
        let turnstile = Arc::new(Self { operation, way, calls, reached, open });
        let way = turnstile.clone();
        (in_the_way(config, move |request, aws| way.clone().call(request, aws)), turnstile)
    }

    /// Comes when somebody waits.
    pub(crate) async fn is_reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub(crate) fn opens(&self) {
        self.open.add_permits(1);
    }

    async fn call(self: Arc<Self>, request: HttpRequest, aws: SharedHttpConnector) -> Called {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if target.ends_with(self.operation) {
            let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
            match self.way {
                Way::Halts(nth) if call == nth => {
                    self.reached.add_permits(1);
                    self.open.acquire().await.unwrap().forget();
                }
                Way::Refuses(first) if call <= first => {
                    let problem =
                        r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
                    return Ok(HttpResponse::new(400.try_into().unwrap(), problem.into()));
                }
                Way::Halts(_) | Way::Refuses(_) => {}
            }
        }
        aws.call(request).await
    }
}
