//! Reads of whole items by their keys, straight from the engine's file: two of three calls of functions are such.
//!
//! The engine would make a tree of each item and write it out again. What is unusual in a request, a refusal, or a
//! name that nobody knows, is left to the engine: then there is no answer here.

use std::collections::{BTreeMap, BTreeSet};

use dynoxide::types::read_capacity_units_with_consistency;
use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use serde_json::Value;

use super::meter::hundredths;
use super::template::Table;

/// The engine refuses longer keys, more of them, and cuts longer answers.
const KEY_BYTES: usize = 1_024;
const KEYS: usize = 100;
const BYTES: usize = 15 * 1_024 * 1_024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    table_name: String,
    key: Key,
    #[serde(default)]
    consistent_read: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Many {
    request_items: BTreeMap<String, Keys>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Keys {
    keys: Vec<Key>,
    #[serde(default)]
    consistent_read: bool,
}

type Key = BTreeMap<String, Text>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Text {
    s: String,
}

/// A table whose keys are two texts.
struct Plain {
    partition: String,
    sort: String,
    sql: String,
}

/// The tables that can be read so.
pub(super) struct Reads(BTreeMap<String, Plain>);

impl Reads {
    pub(super) fn of(tables: &[Table]) -> Self {
        Self(tables.iter().filter_map(|table| Some((table.name.clone(), plain(table)?))).collect())
    }

    /// An answer's body, and hundredths of read units.
    pub(super) fn answer(
        &self,
        connection: &Connection,
        operation: &str,
        body: &[u8],
    ) -> Option<(String, u64)> {
        match operation {
            "GetItem" => self.one(connection, &serde_json::from_slice(body).ok()?),
            "BatchGetItem" => self.many(connection, &serde_json::from_slice(body).ok()?),
            _ => None,
        }
    }

    fn one(&self, connection: &Connection, asked: &One) -> Option<(String, u64)> {
        let table = self.0.get(&asked.table_name)?;
        let found = found(connection, table, &table.key(&asked.key)?).ok()?;
        let units = units(found.as_ref(), asked.consistent_read);
        let body = found.map_or_else(|| "{}".to_owned(), |(item, _)| format!("{{\"Item\":{item}}}"));
        Some((body, units))
    }

    fn many(&self, connection: &Connection, asked: &Many) -> Option<(String, u64)> {
        let mut tables = asked.request_items.iter();
        let (Some((name, asked)), None) = (tables.next(), tables.next()) else { return None };
        let table = self.0.get(name)?;
        let keys: Vec<_> = asked.keys.iter().map(|key| table.key(key)).collect::<Option<_>>()?;
        let different: BTreeSet<_> = keys.iter().collect();
        if keys.is_empty() || keys.len() > KEYS || different.len() < keys.len() {
            return None;
        }
        let (mut items, mut sum) = (Vec::with_capacity(keys.len()), 0_u64);
        for key in &keys {
            let found = found(connection, table, key).ok()?;
            sum = sum.saturating_add(units(found.as_ref(), asked.consistent_read));
            items.extend(found.map(|(item, _)| item));
        }
        if items.iter().map(String::len).sum::<usize>() > BYTES {
            return None;
        }
        let (name, items) = (Value::from(name.as_str()), items.join(","));
        Some((format!("{{\"Responses\":{{{name}:[{items}]}},\"UnprocessedKeys\":{{}}}}"), sum))
    }
}

impl Plain {
    /// As the engine has it in its file.
    fn key(&self, of: &Key) -> Option<(String, String)> {
        let part = |name: &str| of.get(name).map(|text| &text.s).filter(|text| !text.is_empty());
        let (partition, sort) = (part(&self.partition)?, part(&self.sort)?);
        let usual = of.len() == 2 && partition.len() <= KEY_BYTES && sort.len() <= KEY_BYTES;
        usual.then(|| (format!("S:{partition}"), format!("S:{sort}")))
    }
}

fn plain(table: &Table) -> Option<Plain> {
    let schema = table.definition.get("KeySchema")?.as_array()?;
    let named = |kind: &str| {
        let member = schema.iter().find(|one| one.get("KeyType").and_then(Value::as_str) == Some(kind))?;
        Some(member.get("AttributeName")?.as_str()?.to_owned())
    };
    let (partition, sort) = (named("HASH")?, named("RANGE")?);
    let types = table.definition.get("AttributeDefinitions")?.as_array()?;
    let text = |name: &str| {
        let of = types.iter().find(|one| one.get("AttributeName").and_then(Value::as_str) == Some(name));
        of.and_then(|one| one.get("AttributeType")?.as_str()) == Some("S")
    };
    let name = table.name.replace('"', "\"\"");
    let sql = format!("SELECT item_json, item_size FROM \"{name}\" WHERE pk = ?1 AND sk = ?2");
    (text(&partition) && text(&sort)).then_some(Plain { partition, sort, sql })
}

type Found = (String, usize);

fn found(
    connection: &Connection,
    table: &Plain,
    (partition, sort): &(String, String),
) -> rusqlite::Result<Option<Found>> {
    let mut statement = connection.prepare_cached(&table.sql)?;
    statement.query_row([partition, sort], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn units(found: Option<&Found>, consistent: bool) -> u64 {
    hundredths(read_capacity_units_with_consistency(found.map_or(0, |(_, size)| *size), consistent))
}
