//! A client that stands in the way of one operation of the table: it halts a call until it may go on, or answers the
//! first ones as DynamoDB does while a transaction has the item.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
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

#[derive(Debug)]
struct Client(SharedHttpClient, Arc<Turnstile>);

#[derive(Debug)]
struct Connector(SharedHttpConnector, Arc<Turnstile>);

impl Turnstile {
    /// The configuration with it in the way.
    pub(crate) fn in_the_way(config: SdkConfig, operation: &'static str, way: Way) -> (SdkConfig, Arc<Self>) {
        let (calls, reached, open) = (AtomicUsize::new(0), Semaphore::new(0), Semaphore::new(0));
        let turnstile = Arc::new(Self { operation, way, calls, reached, open });
        let client = Client(config.http_client().unwrap(), turnstile.clone());
        (config.into_builder().http_client(client).build(), turnstile)
    }

    /// Comes when somebody waits.
    pub(crate) async fn is_reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub(crate) fn opens(&self) {
        self.open.add_permits(1);
    }
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components), self.1.clone()))
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, turnstile) = (self.0.clone(), self.1.clone());
        HttpConnectorFuture::new(async move {
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            if target.ends_with(turnstile.operation) {
                let call = turnstile.calls.fetch_add(1, Ordering::SeqCst) + 1;
                match turnstile.way {
                    Way::Halts(nth) if call == nth => {
                        turnstile.reached.add_permits(1);
                        turnstile.open.acquire().await.unwrap().forget();
                    }
                    Way::Refuses(first) if call <= first => {
                        let problem =
                            r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
                        return Ok(HttpResponse::new(400.try_into().unwrap(), problem.into()));
                    }
                    Way::Halts(_) | Way::Refuses(_) => {}
                }
            }
            inner.call(request).await
        })
    }
}
