//! What `cargo souk` can do. Each command is one file; this one reads the words and opens the data folder.

mod bar;
mod bench;
mod clock;
mod demo;
mod import;
mod ledger;
mod media;
mod queues;
mod reminders;
mod renditions;
mod renewals;
mod replay;
mod reset;
mod shares;
mod simulate;
mod tax;
mod token;
mod up;

use clap::{Parser, Subcommand};
use souk::Market;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A whole marketplace on this machine: API on 127.0.0.1:8080, its AWS side on :8081, data in .souk/.
#[derive(Debug, Parser)]
#[command(name = "souk", version, after_help = EXAMPLES)]
struct Words {
    /// Where the data lies; `.souk` at the workspace's root if not said.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    up: up::Up,
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  cargo souk                                     run the marketplace, with a sample in it
  cargo souk --watch orders                      the same, with one function under `cargo lambda watch`
  cargo souk token                               a token for the sample's operator
  cargo souk clock advance 7d                    a week later, with every payout that falls due
  cargo souk replay tests/history                replay the small sample history
  cargo souk replay DIR --json figures.json      replay a folder in the Olist format
  cargo souk dlq list                            what could not be handled
  cargo souk ledger check                        every account against its sources
  cargo souk media check                         every file that is shown against its asset
  cargo souk import DIR --profile icecat         catalogs from files
  cargo souk tax import DIR                      rates of tax from files that others keep
  cargo souk demo subscriptions                  a year of subscriptions, month by month, and a picture of it
  cargo souk simulate --seeds 1000               bad days, and every law looked at
  cargo souk bench cost                          what an order takes of AWS, and what a million cost
  cargo souk bench orders --json figures.json    how fast shoppers are served";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the marketplace (this is what happens without a command).
    Up(up::Up),
    /// Replay an order history through the front door of a marketplace of its own.
    Replay(replay::Replay),
    /// Print a token of the development issuer.
    Token(token::Token),
    /// Look at the marketplace's clock, or move it on.
    Clock(clock::Clock),
    /// Dead-letter queues: what lies there, and sending it back.
    Dlq(queues::Dlq),
    /// The relay: tell events again.
    Outbox(queues::Outbox),
    /// The double-entry ledger.
    Ledger(ledger::Ledger),
    /// Pictures, films and models.
    Media(media::Media),
    /// Bring catalogs in from files.
    Import(import::Import),
    /// Tables of tax.
    Tax(tax::Tax),
    /// Show what it does over a year, in a marketplace of its own.
    Demo(demo::Demo),
    /// Measure: orders, their cost, growth, a spike of buyers, cold starts, renewals, reminders, pictures.
    Bench(bench::Bench),
    /// Live through bad days, as seeds say, and look whether every law still holds.
    Simulate(simulate::Simulate),
    /// Delete the data folder.
    Reset(reset::Reset),
}

/// What a command says when it fails: the reason, and what to do.
#[derive(Debug)]
pub(crate) struct Failed {
    reason: String,
    hint: Option<String>,
}

impl Failed {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        let reason = edge::chain(&error);
        let in_use = reason.contains("is in use by another local cloud");
        let hint = in_use.then(|| "is `cargo souk` running? stop it first, or use --data DIR".to_owned());
        Self { reason, hint }
    }
}

/// What every command returns.
pub(crate) type Done = Result<(), Failed>;

/// Prints a line; a closed pipe is no error.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}

pub(crate) fn main() -> ExitCode {
    let words = Words::parse();
    if words.command.is_some() && words.up != up::Up::default() {
        return tell(&Failed::new("--watch stands without a command: cargo souk --watch NAME"));
    }
    // Bad days are meant to be bad: what fails there is no news.
    let quiet = matches!(words.command, Some(Command::Simulate(_)));
    let otherwise = if quiet { "off" } else { "warn" };
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("SOUK_LOG").unwrap_or_else(|_| otherwise.into()),
        )
        .with_writer(std::io::stderr)
        .init();
    // The embedded engine keeps its thread waiting while another one writes: two threads a core leave none idle.
    let threads = std::thread::available_parallelism().map_or(4, |cores| cores.get().saturating_mul(2));
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = match runtime.worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tell(&Failed::new(format!("no runtime: {error}"))),
    };
    let data = words.data.unwrap_or_else(|| root().join(".souk"));
    let done = runtime.block_on(async {
        match words.command {
            None => words.up.run(&data).await,
            Some(Command::Up(up)) => up.run(&data).await,
            Some(Command::Replay(replay)) => replay.run(&data).await,
            Some(Command::Token(token)) => token.run(&data).await,
            Some(Command::Clock(clock)) => clock.run(&data).await,
            Some(Command::Dlq(dlq)) => dlq.run(&data).await,
            Some(Command::Outbox(outbox)) => outbox.run(&data).await,
            Some(Command::Ledger(ledger)) => ledger.run(&data).await,
            Some(Command::Media(media)) => media.run(&data).await,
            Some(Command::Import(import)) => import.run(&data).await,
            Some(Command::Tax(tax)) => tax.run(&data).await,
            Some(Command::Demo(demo)) => demo.run(&data).await,
            Some(Command::Bench(bench)) => bench.run(&data).await,
            Some(Command::Simulate(simulate)) => simulate.run().await,
            Some(Command::Reset(reset)) => reset.run(&data),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => tell(&failed),
    }
}

fn tell(failed: &Failed) -> ExitCode {
    let _closed = writeln!(std::io::stderr(), "error: {}", failed.reason);
    if let Some(hint) = &failed.hint {
        let _closed = writeln!(std::io::stderr(), "hint: {hint}");
    }
    ExitCode::FAILURE
}

/// The workspace's root, from wherever in it the command is called; else the folder one stands in.
pub(crate) fn root() -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let above = here.ancestors().find(|folder| folder.join("infra/template.yaml").is_file());
    above.map(Path::to_owned).unwrap_or(here)
}

/// The marketplace in the data folder.
pub(crate) async fn open(data: &Path) -> Result<Market, Failed> {
    Ok(Market::open(data, None).await?)
}

/// A file that is written at the end of a long run has a folder to go to.
pub(crate) fn must_be_writable(file: &Path) -> Done {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(missing) => {
            let reason = format!("{} cannot be written: there is no folder", file.display());
            Err(Failed::new(reason).hint(format!("make {} first, or name another file", missing.display())))
        }
    }
}

/// The secret of a local marketplace's first API key: made once, kept in the data folder.
pub(crate) fn secret(market: &Market, name: &str) -> Result<String, Failed> {
    let path = market.cloud.folder().join(name);
    if let Ok(secret) = std::fs::read_to_string(&path) {
        return Ok(secret.trim().to_owned());
    }
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Failed::new("no random bytes"))?;
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let secret = format!("sk_local_{secret}");
    std::fs::write(&path, format!("{secret}\n"))?;
    Ok(secret)
}

/// The header that names the data folder a command is about; without it, nobody is commanded.
pub(crate) const FOLDER: &str = "souk-folder";

/// A folder's one name, as [`FOLDER`] has it.
pub(crate) fn name_of(folder: &Path) -> String {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned()).to_string_lossy().into_owned()
}

/// Asks the `cargo souk` that runs with this data; none if there is no one to ask, or it runs with another folder.
pub(crate) async fn ask_running(data: &Path, path: &str) -> Result<Option<String>, Failed> {
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(600)).build()?;
    let asked = client.post(format!("http://127.0.0.1:8081/_souk/{path}")).header(FOLDER, name_of(data));
    match asked.send().await {
        Err(error) if error.is_connect() => Ok(None),
        Err(error) => Err(error.into()),
        Ok(answer) if answer.status() == reqwest::StatusCode::MISDIRECTED_REQUEST => Ok(None),
        Ok(answer) => {
            let good = answer.status().is_success();
            let text = answer.text().await?;
            if good { Ok(Some(text)) } else { Err(Failed::new(text)) }
        }
    }
}
