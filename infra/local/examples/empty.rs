//! The smallest function there is: what `cargo souk bench cold` measures the others against.
//!
//! An example, so that no build of the marketplace makes it and no folder of `functions/` pretends to be a capability.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| Ok::<_, Error>(event.payload))).await
}
