//! Something in the way of a client's calls: a wait, a fault, a count. Tests and the simulation put it there.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::SdkConfig;
use std::sync::Arc;

type Way = dyn Fn(HttpRequest, SharedHttpConnector) -> HttpConnectorFuture + Send + Sync;

/// What the SDK's HTTP layer says of a call.
pub type Called = Result<HttpResponse, ConnectorError>;

/// The configuration whose clients make each call by `way`: with the request, and what would send it.
pub fn in_the_way<Calling>(
    config: SdkConfig,
    way: impl Fn(HttpRequest, SharedHttpConnector) -> Calling + Send + Sync + 'static,
) -> SdkConfig
where
    Calling: Future<Output = Called> + Send + 'static,
{
    let Some(inner) = config.http_client() else { return config };
    let way: Arc<Way> = Arc::new(move |request, inner| HttpConnectorFuture::new(way(request, inner)));
    config.into_builder().http_client(Client { inner, way }).build()
}

struct Client {
    inner: SharedHttpClient,
    way: Arc<Way>,
}

struct Connector {
    inner: SharedHttpConnector,
    way: Arc<Way>,
}

impl HttpClient for Client {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { inner, way: Arc::clone(&self.way) })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        (self.way)(request, self.inner.clone())
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}
