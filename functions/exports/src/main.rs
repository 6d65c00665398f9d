//! Wiring: the function on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::function::Error> {
    let world = edge::World::from_env().await?;
    exports::function(&world).run().await
}
