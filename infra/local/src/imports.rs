//! Files of catalogs through the front door: a profile is set, merchants that rows name are invited where they are
//! missing, each file is sent and watched until it is done.
//!
//! The door is that of a marketplace in this process, or of one that runs somewhere.

use crate::api::{Api, Refusal};
use crate::bench::Cost;
use crate::market::Market;
use crate::replay::Progress;
use aws_sdk_s3::primitives::ByteStream;
use domain::import::Format;
use imports::cut::{self, Cells, Stop};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it is looked how far an import is.
const LOOK: Duration = Duration::from_millis(250);
/// Errors of a file that are shown.
const SHOWN: usize = 5;

/// Why files do not come in.
#[derive(Debug, thiserror::Error)]
pub enum NotImported {
    #[error("{path}: the file cannot be read")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: want a file of csv, tsv, txt, json, jsonl, ndjson, xlsx or zip, or a folder of them")]
    NoFormat { path: PathBuf },
    #[error("{path}: {why}")]
    Unreadable { path: PathBuf, why: String },
    #[error("the profile: {0}")]
    Profile(String),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    Cloud(#[from] crate::cloud::CloudError),
    #[error("the marketplace does not answer")]
    Call(#[from] reqwest::Error),
    #[error("the file could not be sent: {0}")]
    NotSent(String),
}

/// A way into a marketplace.
#[derive(Debug, Clone)]
pub enum Door {
    Here { market: Box<Market>, api: Api },
    There { client: reqwest::Client, url: String, key: String },
}

impl Door {
    pub fn here(market: &Market, secret: &str) -> Self {
        Self::Here { api: Api::new(&market.cloud, secret), market: Box::new(market.clone()) }
    }

    pub fn there(url: &str, key: &str) -> Self {
        let (url, key) = (url.trim_end_matches('/').to_owned(), key.to_owned());
        Self::There { client: reqwest::Client::new(), url, key }
    }

    async fn get(&self, path: &str) -> Result<Value, NotImported> {
        match self {
            Self::Here { api, .. } => Ok(api.get(path).await.ok()?),
            Self::There { client, url, key } => {
                answer(client.get(format!("{url}{path}")).bearer_auth(key).send().await?).await
            }
        }
    }

    async fn post(&self, path: &str, body: &Value, asked: &str) -> Result<Value, NotImported> {
        match self {
            Self::Here { api, .. } => Ok(api.post(path, body, asked).await.ok()?),
            Self::There { client, url, key } => {
                let post = client.post(format!("{url}{path}")).bearer_auth(key);
                let post = post.header("idempotency-key", asked).header("content-type", "application/json");
                answer(post.body(body.to_string()).send().await?).await
            }
        }
    }

    /// A file to the address that was given for it.
    async fn send(&self, upload: &Value, bytes: Vec<u8>) -> Result<(), NotImported> {
        let url = upload.pointer("/url").and_then(Value::as_str).unwrap_or_default();
        match self {
            // In the process nobody listens there: the same goes to the same place.
            Self::Here { market, .. } => {
                let path = url.split('?').next().and_then(|url| url.splitn(4, '/').nth(3));
                let (bucket, key) = path.and_then(|path| path.split_once('/')).unwrap_or_default();
                let config = aws_sdk_s3::config::Builder::from(&market.world.aws).force_path_style(true);
                let client = aws_sdk_s3::Client::from_conf(config.build());
                let put = client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
                let sent = put.send().await.map_err(|error| NotImported::NotSent(edge::chain(&error)))?;
                drop(sent);
                Ok(())
            }
            Self::There { client, .. } => {
                let mut put = client.put(url);
                for (name, value) in
                    upload.pointer("/headers").and_then(Value::as_object).into_iter().flatten()
                {
                    put = put.header(name, value.as_str().unwrap_or_default());
                }
                let answer = put.body(bytes).send().await?;
                let status = answer.status();
                if status.is_success() { Ok(()) } else { Err(NotImported::NotSent(answer.text().await?)) }
            }
        }
    }
}

async fn answer(answer: reqwest::Response) -> Result<Value, NotImported> {
    let (status, asked) = (answer.status(), answer.url().path().to_owned());
    let body = serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null);
    if status.is_success() { Ok(body) } else { Err(Refusal { asked, status, body }.into()) }
}

/// How files of a source are read.
#[derive(Debug, Clone)]
pub struct Source {
    /// What the profile is called.
    pub code: String,
    /// `of`, `currency` of merchants that are made, and the body of the profile.
    pub words: Map<String, Value>,
}

impl Source {
    /// From the text of a profile's file.
    ///
    /// # Errors
    /// If it is no object.
    pub fn read(code: &str, text: &str) -> Result<Self, NotImported> {
        let words = serde_json::from_str(text).map_err(|error| NotImported::Profile(error.to_string()))?;
        Ok(Self { code: code.to_owned(), words })
    }

    fn body(&self) -> Value {
        let ours = |name: &String| matches!(name.as_str(), "of" | "currency");
        Value::Object(self.words.clone().into_iter().filter(|(name, _)| !ours(name)).collect())
    }

    fn word(&self, name: &str) -> Option<&str> {
        self.words.get(name).and_then(Value::as_str)
    }

    /// The column that names merchants.
    fn merchants(&self) -> Option<&str> {
        let mappings = self.words.get("mappings")?.as_array()?;
        let merchant = |one: &&Value| one.pointer("/to/field") == Some(&json!("merchant"));
        mappings.iter().find(merchant)?.pointer("/from/column")?.as_str()
    }
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Imported {
    pub file: String,
    pub status: String,
    pub reason: Option<String>,
    /// Rows, and how many were created, changed, unchanged, refused.
    pub counts: [u64; 5],
    pub took: Duration,
    pub errors: Vec<String>,
}

/// What became of all of them.
#[derive(Debug, Clone, Default)]
pub struct Imports {
    pub merchants: usize,
    pub files: Vec<Imported>,
    /// By function, where the marketplace is in this process.
    pub costs: BTreeMap<String, Cost>,
    /// The most memory that the process has had, in KiB, where the system says so.
    pub memory: Option<u64>,
}

/// The files of a path: itself, or those of a folder in the order of their names.
///
/// # Errors
/// If it cannot be read, or a file is of no format.
pub fn files(path: &Path) -> Result<Vec<(PathBuf, Format)>, NotImported> {
    let wrong = |source| NotImported::File { path: path.to_owned(), source };
    let mut paths = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(wrong)? {
            paths.push(entry.map_err(wrong)?.path());
        }
        paths.retain(|path| path.is_file() && format_of(path).is_some());
        paths.sort();
    } else {
        paths.push(path.to_owned());
    }
    if paths.is_empty() {
        return Err(NotImported::NoFormat { path: path.to_owned() });
    }
    let file = |path: PathBuf| {
        let format = format_of(&path).ok_or_else(|| NotImported::NoFormat { path: path.clone() })?;
        Ok((path, format))
    };
    paths.into_iter().map(file).collect()
}

fn format_of(path: &Path) -> Option<Format> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "csv" | "tsv" | "txt" => Format::Csv,
        "json" => Format::Json,
        "jsonl" | "ndjson" => Format::Jsonl,
        "xlsx" => Format::Xlsx,
        "zip" => Format::Zip,
        _ => return None,
    })
}

/// Brings files in, one after the other.
///
/// # Errors
/// If one cannot be read here, or the marketplace refuses a request; what is wrong with rows is told in the figures.
pub async fn import(
    door: &Door,
    files: &[(PathBuf, Format)],
    source: &Source,
    dry_run: bool,
    progress: &impl Progress,
) -> Result<Imports, NotImported> {
    let body = source.body();
    let asked = domain::id::sha256_hex(format!("{}{body}", source.code).as_bytes());
    door.post(&format!("/v1/import-profiles/{}/set", source.code), &body, &asked).await?;
    let merchants = merchants(door, files, source, progress).await?;
    if let Door::Here { market, .. } = door {
        let _before = market.cloud.meter().take();
    }
    let mut all = Imports { merchants, ..Imports::default() };
    for (path, format) in files {
        all.files.push(one(door, path, *format, source, dry_run, progress).await?);
    }
    if let Door::Here { market, .. } = door {
        all.costs = crate::bench::costs(market);
    }
    all.memory = crate::bench::memory();
    Ok(all)
}

/// Merchants that rows name and nobody has invited, under these very names; answers how many there were.
async fn merchants(
    door: &Door,
    files: &[(PathBuf, Format)],
    source: &Source,
    progress: &impl Progress,
) -> Result<usize, NotImported> {
    let Some(column) = source.merchants().map(str::to_owned) else { return Ok(0) };
    let mut names = BTreeSet::new();
    for (path, format) in files {
        let (file, format, column) = (open(path)?, *format, column.clone());
        let name = path.display().to_string();
        let found = tokio::task::spawn_blocking(move || named(file, &name, format, &column)).await;
        match found {
            Ok(Ok(found)) => names.extend(found),
            Ok(Err(why)) => return Err(NotImported::Unreadable { path: path.clone(), why }),
            Err(error) => return Err(NotImported::Unreadable { path: path.clone(), why: error.to_string() }),
        }
    }
    let mut new = 0_usize;
    for (n, name) in names.iter().enumerate() {
        progress.step("merchants", n.saturating_add(1), names.len());
        let asked: String = form(name);
        let list = door.get(&format!("/v1/merchants?external_id={asked}")).await?;
        if list.pointer("/items/0").is_some() {
            continue;
        }
        let mut invite = json!({"name": name, "external_id": name, "schedule": {"every": "month", "day": 1}});
        if let (Some(currency), Some(invite)) = (source.word("currency"), invite.as_object_mut()) {
            invite.insert("currency".to_owned(), json!(currency));
        }
        let key = domain::id::sha256_hex(format!("invite {name}").as_bytes());
        door.post("/v1/merchants", &invite, &key).await?;
        new = new.saturating_add(1);
    }
    Ok(new)
}

/// A word of a query.
fn form(word: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    word.bytes()
        .map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn open(path: &Path) -> Result<std::fs::File, NotImported> {
    std::fs::File::open(path).map_err(|source| NotImported::File { path: path.to_owned(), source })
}

/// What a file's rows have in a column.
fn named(file: std::fs::File, name: &str, format: Format, column: &str) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let done = cut::cut(file, name, format, &mut |part| {
        for line in part.rows {
            let Cells::Row(row) = line.cells else { continue };
            let text = row.get(column).and_then(|data| data.as_text()).unwrap_or_default().trim().to_owned();
            if !text.is_empty() {
                names.insert(text);
            }
        }
        true
    });
    match done {
        Ok(()) => Ok(names),
        Err(Stop::Unreadable(why)) => Err(why.to_string()),
        Err(Stop::Place(error)) => Err(error.to_string()),
        Err(Stop::Unheard) => Ok(names),
    }
}

fn count(body: &Value, pointer: &str) -> u64 {
    body.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

async fn one(
    door: &Door,
    path: &Path,
    format: Format,
    source: &Source,
    dry_run: bool,
    progress: &impl Progress,
) -> Result<Imported, NotImported> {
    let bytes = std::fs::read(path).map_err(|source| NotImported::File { path: path.to_owned(), source })?;
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let of = source.word("of").unwrap_or("products");
    let format = serde_json::to_value(format).unwrap_or_default();
    let new = json!({
        "name": file, "profile": source.code, "format": format, "bytes": bytes.len(), "of": of,
        "dry_run": dry_run,
    });
    let began = Instant::now();
    // Each is another import, also of the same file.
    let import = door.post("/v1/imports", &new, &uuid::Uuid::now_v7().to_string()).await?;
    let id = text(&import, "/id").to_owned();
    let upload = import.pointer("/upload").cloned().unwrap_or_default();
    door.send(&upload, bytes).await?;
    let mut shown;
    loop {
        shown = door.get(&format!("/v1/imports/{id}")).await?;
        let step = |name: &str| usize::try_from(count(&shown, name)).unwrap_or_default();
        match text(&shown, "/status") {
            "awaiting_file" => {}
            "running" => progress.step(&file, step("/reached"), step("/parts")),
            _ => break,
        }
        tokio::time::sleep(LOOK).await;
    }
    let took = began.elapsed();
    let errors = door.get(&format!("/v1/imports/{id}/errors?limit={SHOWN}")).await?;
    let rows = errors.pointer("/items").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(Imported {
        file,
        status: text(&shown, "/status").to_owned(),
        reason: shown.pointer("/reason").and_then(Value::as_str).map(str::to_owned),
        counts: ["rows", "created", "changed", "unchanged", "refused"]
            .map(|name| count(&shown, &format!("/counts/{name}"))),
        took,
        errors: rows.iter().map(told).collect(),
    })
}

/// A bad row in a line: where it is, and the first thing that is wrong.
fn told(row: &Value) -> String {
    let (file, line) = (text(row, "/file"), count(row, "/line"));
    let flaw = row.pointer("/flaws/0").cloned().unwrap_or_default();
    let column = flaw.pointer("/column").and_then(Value::as_str);
    let column = column.map_or_else(String::new, |column| format!(", column {column}"));
    let value = flaw.pointer("/value").and_then(Value::as_str);
    let value = value.map_or_else(String::new, |value| format!(" `{value}`"));
    format!("{file}, line {line}{column}{value}: {}; {}", text(&flaw, "/message"), text(&flaw, "/todo"))
}
