//! `cargo souk bench media`: what all renditions of one picture take.

use super::bench::Out;
use super::{Done, Failed};
use clap::Args;
use serde_json::{Value, json};
use souk::renditions::{Figures, once, renditions};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench media photo.jpg
  cargo run --release -p souk -- bench media photo.jpg --json figures.json")]
pub(crate) struct Renditions {
    /// A JPEG, PNG, WebP or GIF.
    file: PathBuf,
    /// Only makes them, once, into this folder.
    #[arg(long, hide = true)]
    once: Option<PathBuf>,
}

impl Renditions {
    pub(super) async fn run(self, out: &Out) -> Done {
        if let Some(folder) = &self.once {
            return Ok(once(&self.file, folder)?);
        }
        let own = std::env::current_exe();
        let own = own.map_err(|error| Failed::new(format!("which program is this? {error}")))?;
        let figures = renditions(&own, &self.file).await?;
        let head =
            format!("{:<8} {:>10} {:>12} {:>6} {:>12}", "by", "median", "peak memory", "files", "bytes");
        let mut lines = vec![head];
        for Figures { by, micros, kilobytes, files, bytes, .. } in &figures {
            let millis = micros.div_euclid(1_000);
            let seconds = format!("{}.{:03} s", millis.div_euclid(1_000), millis.rem_euclid(1_000));
            let memory = format!("{} MiB", kilobytes.div_euclid(1_024));
            lines.push(format!("{by:<8} {seconds:>10} {memory:>12} {files:>6} {bytes:>12}"));
        }
        lines.push("\nEach five times, by".to_owned());
        for command in figures.iter().flat_map(|way| &way.commands) {
            lines.push(format!("  {}", command.join(" ")));
        }
        let figures: Vec<Value> = figures.iter().map(told).collect();
        out.tell("media", &lines, json!({ "ways": figures }), &[])
    }
}

fn told(way: &Figures) -> Value {
    let Figures { by, commands, micros, kilobytes, files, bytes } = way;
    let micros = u64::try_from(*micros).unwrap_or(u64::MAX);
    json!({
        "by": by, "commands": commands, "median_microseconds": micros, "peak_kilobytes": kilobytes,
        "files": files, "bytes": bytes,
    })
}
