//! The least that a function with a table is: its client, connected. What `cargo souk bench cold` holds the others to.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let aws = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
    let table = table::Table::new(aws_sdk_dynamodb::Client::new(&aws), std::env::var("TABLE")?);
    table.warm().await;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload))).await
}
