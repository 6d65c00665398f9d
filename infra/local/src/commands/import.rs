//! `cargo souk import`: files of catalogs, through the front door.

use super::bar::Bar;
use super::shares::{by_function, mebibytes, rate, table_of, write_figures};
use super::{Done, Failed, open, say, secret};
use clap::Args;
use serde_json::{Value, json};
use souk::demo;
use souk::imports::{Door, Imported, Imports, Source, files, import};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Profiles of sources that are known here: how their files are read, and nothing of what they say.
const KNOWN: [(&str, &str); 2] =
    [("icecat", include_str!("profiles/icecat.json")), ("bestbuy", include_str!("profiles/bestbuy.json"))];

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk import catalog.zip --profile icecat
  cargo souk import categories.json --profile bestbuy --dry-run
  cargo souk import DIR --profile shop.json --json figures.json
  cargo souk import mugs.csv --profile shop.json --url http://127.0.0.1:8080 --key sk_…")]
pub(crate) struct Import {
    /// A file, or a folder of files.
    path: PathBuf,
    /// How rows are read: `icecat`, `bestbuy`, or a file with a profile in JSON.
    #[arg(long, value_name = "NAME|FILE")]
    profile: String,
    /// Decide and tell everything, write nothing; merchants are invited all the same.
    #[arg(long)]
    dry_run: bool,
    /// A marketplace that runs; that of the data folder, if not said.
    #[arg(long, requires = "key")]
    url: Option<String>,
    /// An operator's key there.
    #[arg(long, env = "SOUK_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn source(profile: &str) -> Result<Source, Failed> {
    if let Some((code, text)) = KNOWN.iter().find(|(code, _)| *code == profile) {
        return Ok(Source::read(code, text)?);
    }
    let path = Path::new(profile);
    let text = std::fs::read_to_string(path).map_err(|error| {
        let names = KNOWN.map(|(code, _)| code).join(", ");
        Failed::new(format!("{profile}: {error}")).hint(format!("name {names}, or a file with a profile"))
    })?;
    let code = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Source::read(&code, &text)?)
}

impl Import {
    pub(crate) async fn run(self, data: &Path) -> Done {
        self.json.as_deref().map_or(Ok(()), super::must_be_writable)?;
        let (files, source, bar) = (files(&self.path)?, source(&self.profile)?, Bar::default());
        let all = match (&self.url, &self.key) {
            (Some(url), Some(key)) => {
                import(&Door::there(url, key), &files, &source, self.dry_run, &bar).await?
            }
            (Some(_) | None, Some(_) | None) => {
                let market = open(data).await.map_err(|failed| match failed.hint.is_some() {
                    true => {
                        failed.hint("where `cargo souk` runs, say --url http://127.0.0.1:8080 --key $KEY")
                    }
                    false => failed,
                })?;
                let secret = secret(&market, "demo.key")?;
                demo::seed(&market, &secret).await?;
                let cloud = market.cloud.clone();
                let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
                let all = import(&Door::here(&market, &secret), &files, &source, self.dry_run, &bar).await;
                pump.abort();
                let all = all?;
                // Whoever hears of products hears of them before this ends.
                market.cloud.settle_with_retries().await?;
                all
            }
        };
        bar.done();
        table(&all);
        write_figures(self.json.as_deref(), &figures(&all))?;
        match all.files.iter().find(|file| file.status != "done") {
            None => Ok(()),
            Some(file) => {
                let reason = file.reason.clone().unwrap_or_else(|| format!("it is {}", file.status));
                Err(Failed::new(format!("{}: {reason}", file.file)))
            }
        }
    }
}

fn sum(all: &Imports) -> ([u64; 5], Duration) {
    let counts = all.files.iter().fold([0_u64; 5], |mut sum, file| {
        for (sum, count) in sum.iter_mut().zip(file.counts) {
            *sum = sum.saturating_add(count);
        }
        sum
    });
    (counts, all.files.iter().map(|file| file.took).sum())
}

fn line(name: &str, [rows, created, changed, unchanged, refused]: [u64; 5], took: &Duration) -> String {
    let rate = rate(usize::try_from(rows).unwrap_or(usize::MAX), took);
    format!("{name:<24} {rows:>8} {created:>8} {changed:>8} {unchanged:>9} {refused:>8} {rate:>8}")
}

fn table(all: &Imports) {
    if all.merchants > 0 {
        say(format!("{} merchants are new", all.merchants));
    }
    let head = ["rows", "created", "changed", "unchanged", "refused", "rows/s"];
    let [rows, created, changed, unchanged, refused, rate] = head;
    say(format!("{:<24} {rows:>8} {created:>8} {changed:>8} {unchanged:>9} {refused:>8} {rate:>8}", "file"));
    for file in &all.files {
        say(line(&file.file, file.counts, &file.took));
    }
    let (counts, took) = sum(all);
    if all.files.len() > 1 {
        say(line("all", counts, &took));
    }
    for file in &all.files {
        for error in &file.errors {
            say(error);
        }
    }
    if !all.costs.is_empty() {
        say("");
        table_of("of one row", usize::try_from(counts[0]).unwrap_or_default(), &all.costs)
            .iter()
            .for_each(say);
        say(format!("\nmemory at its peak {}", mebibytes(all.memory)));
    }
}

fn figures(all: &Imports) -> Value {
    let of = |counts: [u64; 5], took: &Duration| {
        let [rows, created, changed, unchanged, refused] = counts;
        json!({
            "rows": rows, "created": created, "changed": changed, "unchanged": unchanged, "refused": refused,
            "milliseconds": took.as_millis(),
            "rows_per_second": rate(usize::try_from(rows).unwrap_or(usize::MAX), took),
        })
    };
    let file = |file: &Imported| {
        let mut told = of(file.counts, &file.took);
        if let Some(told) = told.as_object_mut() {
            told.insert("file".to_owned(), json!(file.file));
            told.insert("status".to_owned(), json!(file.status));
            told.insert("errors".to_owned(), json!(file.errors));
        }
        told
    };
    let (counts, took) = sum(all);
    json!({
        "files": all.files.iter().map(file).collect::<Vec<_>>(),
        "all": of(counts, &took),
        "merchants": all.merchants,
        "of_one_row": by_function(usize::try_from(counts[0]).unwrap_or_default(), &all.costs),
        "memory_kib": all.memory,
    })
}
