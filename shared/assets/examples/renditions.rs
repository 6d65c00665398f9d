//! All renditions of a picture: what it is, what is made of it, how long that takes and how much memory.
//!
//! `cargo run --release -p assets --example renditions -- FILE [FOLDER]`; with a folder, everything is written there.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use assets::{Look, Picture, Plan, Role};
use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let file = arguments.next().ok_or("want a file")?;
    let folder = arguments.next();
    let bytes = std::fs::read(&file)?;
    let begun = Instant::now();
    let picture = Picture::open(&bytes)?;
    let opened = begun.elapsed();
    let (width, height) = (picture.width(), picture.height());
    let (kind, colors, held) = (picture.header.kind.name(), picture.colors, picture.orientation);
    println!("{}: {kind}, {width} × {height}, orientation {held}, colors {colors:?}", file.display());
    let look = Look::of(&picture)?;
    println!("{} {:016x}", look.blur_hash, look.fingerprint);
    let looked = begun.elapsed();
    let (mut sizes, mut files, mut written, mut writing) = (None, 0_usize, 0_usize, Duration::ZERO);
    for made in picture.renditions(&Plan::PRODUCT)? {
        let made = made?;
        if made.role == Role::Tile && sizes.is_none() {
            sizes = Some(begun.elapsed());
        }
        files += 1;
        written += made.bytes.len();
        if let Some(folder) = &folder {
            let begun = Instant::now();
            let path = folder.join(&made.key);
            std::fs::create_dir_all(path.parent().ok_or("a key has no folder")?)?;
            std::fs::write(path, &made.bytes)?;
            writing += begun.elapsed();
        }
    }
    let all = begun.elapsed().saturating_sub(writing);
    let sizes = sizes.unwrap_or(all);
    println!("{files} files, {written} bytes");
    let steps =
        [("opened", opened), ("look", looked - opened), ("sizes", sizes - looked), ("tiles", all - sizes)];
    for (step, took) in steps.into_iter().chain([("all", all)]) {
        println!("{step:<7} {:>6} ms", took.as_millis());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    status.lines().filter(|line| line.starts_with("VmHWM")).for_each(|line| println!("{line}"));
    Ok(())
}
