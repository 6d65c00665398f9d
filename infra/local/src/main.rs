//! The command line of the local cloud.

mod commands;

fn main() -> std::process::ExitCode {
    commands::main()
}
