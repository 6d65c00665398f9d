//! Wiring: the function on Lambda.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), edge::function::Error> {
    let world = edge::World::from_env().await?;
    abandoned_cart::function(&world).run().await
}
