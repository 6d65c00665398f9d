//! The command line of the local cloud.

mod commands;
mod mailbox;
mod page;

/// A replay allocates and frees millions of small texts; the system's allocator spends a sixth of the time on them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    commands::main()
}
