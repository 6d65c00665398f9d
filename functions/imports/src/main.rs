//! Wiring: the function on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::function::Error> {
    let world = edge::World::from_env().await?;
    imports::function(&world).run().await
}
