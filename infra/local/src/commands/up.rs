//! `cargo souk`: the marketplace runs until it is stopped.

use super::{Done, Failed, open, say, secret};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::post;
use clap::Args;
use jiff::SignedDuration;
use serde::Deserialize;
use souk::{Market, demo};
use std::path::Path;
use tokio::net::TcpListener;

#[derive(Debug, Default, Args)]
pub(crate) struct Up {}

const API: &str = "127.0.0.1:8080";
const AWS: &str = "127.0.0.1:8081";

impl Up {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let (api, aws) = (bind(API).await?, bind(AWS).await?);
        let market = open(data).await?;
        let secret = secret(&market, "demo.key")?;
        let fresh = demo::seed(&market, &secret).await?;
        welcome(&market, &secret, fresh);
        let served = async {
            tokio::try_join!(
                market.cloud.serve_api(api),
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
    say("\nTo copy:\n");
    say(format!("  export SOUK={API} KEY={secret}"));
    say("  curl -s $SOUK/v1/products -H \"Authorization: Bearer $KEY\"");
    say("  curl -s $SOUK/v1/merchants -H \"Authorization: Bearer $KEY\"");
    say(concat!(
        "  curl -s $SOUK/v1/orders -H \"Authorization: Bearer $KEY\" -d '{\n",
        "    \"channel\": \"phone\", \"external_id\": \"first\",\n",
        "    \"lines\": [{\"merchant_external_id\": \"alma\", \"sku\": \"stoneware-mug-sand\",\n",
        "    \"quantity\": 2, \"unit_price\": {\"amount\": \"14.50\", \"currency\": \"EUR\"}}]}'"
    ));
    say("  curl -s \"$SOUK/v1/orders?channel=phone&external_id=first\" -H \"Authorization: Bearer $KEY\"");
    say("  cargo souk clock advance 7d");
    say("\nCtrl-C stops it.");
}

/// What other commands ask of the running marketplace.
fn control(market: Market) -> Router {
    Router::new()
        .route("/_souk/advance", post(advance))
        .route("/_souk/dlq/list", post(list))
        .route("/_souk/dlq/replay", post(replay))
        .with_state(market)
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

async fn replay(State(market): State<Market>, Query(which): Query<Which>) -> Answer {
    super::queues::replay(&market, which.queue.as_deref()).map_err(failed)
}
