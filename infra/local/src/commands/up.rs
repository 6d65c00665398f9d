//! `cargo souk`: the marketplace runs until it is stopped.

use super::{Done, FOLDER, Failed, name_of, open, say, secret};
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use souk::issuer::JWKS_PATH;
use souk::{Market, demo};
use std::collections::BTreeMap;
use std::path::Path;
use tokio::net::TcpListener;

#[derive(Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct Up {
    /// Send what this function is called with to `cargo lambda watch`; may stand several times.
    #[arg(long, value_name = "NAME")]
    watch: Vec<String>,
}

const API: &str = "127.0.0.1:8080";
const AWS: &str = "127.0.0.1:8081";
/// Where `cargo lambda watch` listens.
const RUNNER: &str = "http://127.0.0.1:9000";

impl Up {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let (api, aws) = (bind(API).await?, bind(AWS).await?);
        let market = open(data).await?;
        let to_watch = watch(&market, &self.watch)?;
        let secret = secret(&market, "demo.key")?;
        let fresh = demo::seed(&market, &secret).await?;
        welcome(&market, &secret, fresh);
        if let Some(line) = to_watch {
            say(format!("\nIn another terminal, for {}:\n\n  {line}", self.watch.join(", ")));
        }
        say("\nCtrl-C stops it.");
        let served = async {
            tokio::try_join!(
                market.cloud.serve_api(
                    api,
                    issuer(&market).merge(crate::page::routes()).merge(crate::mailbox::routes(&market.cloud))
                ),
                market.cloud.serve_aws(aws, control(market.clone()))
            )
        };
        let stopped = async {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                failed = served => {
                    let error = failed.err().map(|error| edge::chain(&error));
                    tracing::error!(error, "stopped");
                }
            }
        };
        market.cloud.run_until_stopped(stopped).await?;
        say("stopped; the data stays in the folder");
        Ok(())
    }
}

async fn bind(address: &str) -> Result<TcpListener, Failed> {
    TcpListener::bind(address).await.map_err(|error| {
        Failed::new(format!("{address} cannot be listened on: {error}"))
            .hint("another `cargo souk` may be running; stop it first")
    })
}

fn welcome(market: &Market, secret: &str, fresh: bool) {
    say(format!(
        "Souk runs: API http://{API}, AWS side http://{AWS}, data in {}",
        market.cloud.folder().display()
    ));
    say(format!("The marketplace's clock says {:.0}", market.clock.now()));
    if fresh {
        say("A sample marketplace was made: 5 merchants, 60 products in euros, 25 of each variant in stock.");
    }
    say(format!("\nA shop to click through: http://{API}/"));
    say("\nTo copy:\n");
    say(format!("  export SOUK={API} KEY={secret}"));
    say("  curl -s $SOUK/v1/products -H \"Authorization: Bearer $KEY\"");
    say("  curl -s $SOUK/v1/merchants -H \"Authorization: Bearer $KEY\"");
    say(concat!(
        "  curl -s $SOUK/v1/orders -H \"Authorization: Bearer $KEY\" -d '{\n",
        "    \"channel\": \"phone\", \"external_id\": \"hello\",\n",
        "    \"lines\": [{\"merchant_external_id\": \"alma\", \"sku\": \"stoneware-mug-sand\",\n",
        "    \"quantity\": 2, \"unit_price\": {\"amount\": \"14.50\", \"currency\": \"EUR\"}}]}'"
    ));
    say("  curl -s \"$SOUK/v1/orders?channel=phone&external_id=hello\" -H \"Authorization: Bearer $KEY\"");
    say("  cargo souk clock advance 7d");
}

/// Hands functions over to the runner; answers the line that starts it, if there is anything to run.
fn watch(market: &Market, functions: &[String]) -> Result<Option<String>, Failed> {
    let mut environment = BTreeMap::new();
    for function in functions {
        market.cloud.watch(function, RUNNER).map_err(|error| {
            let names = souk::market::functions().map(|(name, _)| name).join(", ");
            Failed::from(error).hint(format!("the functions are {names}"))
        })?;
        environment.extend(market.cloud.environment_outside(function)?);
    }
    environment.insert(edge::clock::VARIABLE.to_owned(), format!("http://{AWS}/_souk/clock"));
    let words: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok((!functions.is_empty()).then(|| format!("{} cargo lambda watch", words.join(" "))))
}

/// What the API's address serves that is no part of the API: the development issuer's public keys.
fn issuer(market: &Market) -> Router {
    let jwks = market.issuer.jwks();
    Router::new().route(JWKS_PATH, get(move || async { ([(CONTENT_TYPE, "application/json")], jwks) }))
}

/// What other commands ask of the running marketplace.
fn control(market: Market) -> Router {
    Router::new()
        .route("/_souk/advance", post(advance))
        .route("/_souk/dlq/list", post(list))
        .route("/_souk/dlq/replay", post(replay))
        .route("/_souk/outbox/resend", post(resend))
        .route_layer(from_fn_with_state(market.clone(), meant_for_us))
        .with_state(market)
}

/// A command for another folder is not ours; a page in a browser cannot send the header at all.
async fn meant_for_us(State(market): State<Market>, request: Request, next: Next) -> Response {
    let folder = request.headers().get(FOLDER).and_then(|folder| folder.to_str().ok());
    if folder == Some(name_of(market.cloud.folder()).as_str()) {
        return next.run(request).await;
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}

type Answer = Result<String, (StatusCode, String)>;

fn failed(error: impl std::error::Error) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, edge::chain(&error))
}

#[derive(Debug, Deserialize)]
struct By {
    seconds: i64,
}

async fn advance(State(market): State<Market>, Query(by): Query<By>) -> Answer {
    market.advance(SignedDuration::from_secs(by.seconds)).await.map_err(failed)?;
    Ok(market.clock.now().to_string())
}

async fn list(State(market): State<Market>) -> Answer {
    super::queues::list(&market).map_err(failed)
}

#[derive(Debug, Deserialize)]
struct Which {
    queue: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Since {
    since: Timestamp,
}

async fn resend(State(market): State<Market>, Query(Since { since }): Query<Since>) -> Answer {
    super::queues::resend(&market, since).await.map_err(failed)
}

async fn replay(State(market): State<Market>, Query(which): Query<Which>) -> Answer {
    super::queues::replay(&market, which.queue.as_deref()).map_err(failed)
}
