//! Invoices.
//!
//! Reads: . Writes: . Emits: .

mod pdf;

use edge::{Function, World};

pub fn function(world: &World) -> Function {
    Function::new("invoices", world)
}
