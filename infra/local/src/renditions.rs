//! What all renditions of one picture take: seconds and memory, here and by programs that are installed.
//!
//! Each run is a process of its own, so that its peak is its own. The set is the same for all: three sizes as WebP and
//! as JPEG, and the tiles of a Deep Zoom pyramid. ImageMagick knows no pyramid: its tiles are cut level by level and do
//! not overlap.

use assets::{Look, Picture, Plan};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Runs of each way.
const RUNS: usize = 5;
/// How often a running process is asked for the most that it has had; it never becomes less.
const LOOK: Duration = Duration::from_millis(2);
const SIZES: [(&str, u32); 3] = [("page", 1_200), ("card", 480), ("thumbnail", 160)];
/// Halves of the largest picture that is taken, down to nothing.
const LEVELS: usize = 13;

/// One way of making them all: its commands, one after the other, and what they took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    pub by: &'static str,
    pub commands: Vec<Vec<String>>,
    /// The median of the runs; commands add up.
    pub micros: u128,
    /// The most that one process had, of all runs.
    pub kilobytes: u64,
    pub files: u64,
    pub bytes: u64,
}

/// Why renditions are not measured.
#[derive(Debug, thiserror::Error)]
pub enum NotMade {
    #[error("{path}: the file cannot be used")]
    File { path: PathBuf, source: std::io::Error },
    #[error("the file is not taken")]
    Refused(#[from] assets::Refused),
    #[error("a rendition cannot be made")]
    Unmade(#[from] assets::renditions::Unmade),
    #[error("`{0}` failed")]
    Failed(String),
}

fn file(path: &Path, source: std::io::Error) -> NotMade {
    NotMade::File { path: path.to_owned(), source }
}

/// Makes and writes them once, in this process.
///
/// # Errors
/// If the file is no picture that is taken, or the folder cannot be written.
pub fn once(picture: &Path, folder: &Path) -> Result<(), NotMade> {
    let bytes = std::fs::read(picture).map_err(|source| file(picture, source))?;
    let picture = Picture::open(&bytes)?;
    drop(bytes);
    let _look = Look::of(&picture)?;
    for made in picture.renditions(&Plan::PRODUCT)? {
        let made = made?;
        let path = folder.join(&made.key);
        let below = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(below).map_err(|source| file(below, source))?;
        std::fs::write(&path, &made.bytes).map_err(|source| file(&path, source))?;
    }
    Ok(())
}

/// Measures them; `own` is this program, which makes them by `bench media FILE --once FOLDER`.
///
/// # Errors
/// If one of the commands fails.
pub async fn renditions(own: &Path, picture: &Path) -> Result<Vec<Figures>, NotMade> {
    let room = tempfile::tempdir().map_err(|source| file(Path::new("a folder for a while"), source))?;
    let mut all = Vec::new();
    for (by, make) in ways(own, picture) {
        let (mut rounds, mut kilobytes, mut commands) = (Vec::new(), 0, Vec::new());
        let folder = room.path().join(by);
        for _ in 0..RUNS {
            let _nothing_there = std::fs::remove_dir_all(&folder);
            std::fs::create_dir_all(&folder).map_err(|source| file(&folder, source))?;
            commands = make(&folder);
            let mut micros = 0;
            for command in &commands {
                let (took, peak) = run(command).await?;
                micros += took.as_micros();
                kilobytes = kilobytes.max(peak);
            }
            rounds.push(micros);
        }
        rounds.sort_unstable();
        let (files, bytes) = weigh(&folder).map_err(|source| file(&folder, source))?;
        let micros = rounds.get(RUNS.div_euclid(2)).copied().unwrap_or_default();
        all.push(Figures { by, commands, micros, kilobytes, files, bytes });
    }
    Ok(all)
}

type Make = Box<dyn Fn(&Path) -> Vec<Vec<String>>>;

/// This house, and what is installed.
fn ways(own: &Path, picture: &Path) -> Vec<(&'static str, Make)> {
    let (own, picture) = (own.to_string_lossy().into_owned(), picture.to_string_lossy().into_owned());
    let installed = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
    };
    let ours = picture.clone();
    let house: Make = Box::new(move |folder: &Path| {
        let folder = folder.to_string_lossy().into_owned();
        vec![words(&[&own, "bench", "media", &ours, "--once", &folder])]
    });
    let mut ways = vec![("souk", house)];
    if installed("vips") && installed("vipsthumbnail") {
        let picture = picture.clone();
        ways.push(("vips", Box::new(move |folder: &Path| vips(&picture, folder))));
    }
    if let Some(name) = ["magick", "convert"].into_iter().find(|name| installed(name)) {
        ways.push((name, Box::new(move |folder: &Path| vec![magick(name, &picture, folder)])));
    }
    ways
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn vips(picture: &str, folder: &Path) -> Vec<Vec<String>> {
    let folder = folder.display();
    let mut commands = Vec::new();
    for (name, side) in SIZES {
        for (suffix, quality) in [("webp", 80), ("jpg", 82)] {
            let target = format!("{folder}/{name}.{suffix}[Q={quality},strip]");
            let side = format!("{side}x{side}>");
            commands.push(words(&[
                "vipsthumbnail",
                picture,
                "-s",
                &side,
                "--eprofile",
                "srgb",
                "-o",
                &target,
            ]));
        }
    }
    let zoom = format!("{folder}/zoom");
    let tiles = ["--tile-size", "510", "--overlap", "1", "--suffix", ".jpg[Q=80,strip]"];
    commands.push([words(&["vips", "dzsave", picture, &zoom]), words(&tiles)].concat());
    commands
}

fn magick(program: &str, picture: &str, folder: &Path) -> Vec<String> {
    let folder = folder.display();
    let mut command = words(&[program, picture, "-auto-orient", "-strip"]);
    for (name, side) in SIZES {
        let (side, webp, jpeg) =
            (format!("{side}x{side}>"), format!("{folder}/{name}.webp"), format!("{folder}/{name}.jpg"));
        command.extend(words(&["(", "+clone", "-resize", &side, "-quality", "80", "-write", &webp]));
        command.extend(words(&["-quality", "82", "-write", &jpeg, "+delete", ")"]));
    }
    command.extend(words(&["-quality", "80"]));
    for level in 0..LEVELS {
        let tiles = format!("{folder}/{level}_%d.jpg");
        command.extend(words(&["(", "+clone", "-crop", "510x510", "+repage", "-write", &tiles]));
        command.extend(words(&["+delete", ")", "-resize", "50%"]));
    }
    command.push("null:".to_owned());
    command
}

/// How long a command took, and the most kilobytes that it has had.
async fn run(command: &[String]) -> Result<(Duration, u64), NotMade> {
    let failed = || NotMade::Failed(command.join(" "));
    let (program, arguments) = command.split_first().ok_or_else(failed)?;
    let begun = Instant::now();
    let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let mut child = child.map_err(|_| failed())?;
    let status = child.id().map(|id| format!("/proc/{id}/status")).unwrap_or_default();
    let (mut peak, mut tick) = (0, tokio::time::interval(LOOK));
    let ended = loop {
        tokio::select! {
            ended = child.wait() => break ended,
            _ = tick.tick() => peak = peak.max(high_water(&status)),
        }
    };
    let took = begun.elapsed();
    if ended.is_ok_and(|ended| ended.success()) { Ok((took, peak)) } else { Err(failed()) }
}

fn high_water(status: &str) -> u64 {
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or_default()
}

/// Files below a folder, and their bytes.
fn weigh(folder: &Path) -> std::io::Result<(u64, u64)> {
    let mut sum = (0_u64, 0_u64);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (files, bytes) =
            if entry.file_type()?.is_dir() { weigh(&entry.path())? } else { (1, entry.metadata()?.len()) };
        sum = (sum.0.saturating_add(files), sum.1.saturating_add(bytes));
    }
    Ok(sum)
}
