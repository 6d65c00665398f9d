//! What is refused by a state or a limit that no other journey comes to: each code once, as its client meets it.

mod catalog;
mod paying;
mod renewing;
mod selling;
