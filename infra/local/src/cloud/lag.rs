//! What lags: indexes, and replicas that answer where nobody has asked for a consistent read. On AWS both do, the
//! engine's never do.
//!
//! A second engine gets the same writes in the same order, but late, and answers such reads. It is made when the first
//! one comes: a run without them only keeps its writes. When all is quiet everything has caught up.

use std::collections::{BTreeMap, VecDeque};

use dynoxide::{Database, DynoxideError, actions as op};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::dynamo::create;
use super::template::Table;

/// Which reads may be behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lags {
    /// Those of an index.
    Indexes,
    /// Those of an index, and all that are not asked to be consistent.
    Reads,
}

/// What of a read says whether it may be behind.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Asked {
    index_name: Option<IgnoredAny>,
    #[serde(default)]
    consistent_read: bool,
    request_items: Option<BTreeMap<String, Asked>>,
}

/// Writes that succeeded, as they were asked for.
pub(super) struct Lag {
    what: Lags,
    /// So many writes are not seen.
    behind: usize,
    tables: Vec<Table>,
    view: Option<Database>,
    missing: VecDeque<(String, Vec<u8>)>,
    /// Of the missing ones, so many may be seen.
    free: usize,
}

impl Lag {
    /// From here on; what the tables hold already is seen.
    pub(super) fn new(
        what: Lags,
        behind: usize,
        tables: &[Table],
        engine: &Database,
    ) -> Result<Self, DynoxideError> {
        let mut missing = VecDeque::new();
        for table in tables {
            let mut request = json!({ "TableName": table.name });
            loop {
                let found = engine.scan(read(&request)?)?;
                let answer = serde_json::to_value(&found).map_err(unreadable)?;
                for item in answer.get("Items").and_then(Value::as_array).into_iter().flatten() {
                    let put = json!({ "TableName": table.name, "Item": item });
                    missing.push_back(("PutItem".to_owned(), put.to_string().into_bytes()));
                }
                match answer.get("LastEvaluatedKey") {
                    None | Some(Value::Null) => break,
                    Some(last) => request["ExclusiveStartKey"] = last.clone(),
                }
            }
        }
        let free = missing.len();
        Ok(Self { what, behind, tables: tables.to_vec(), view: None, missing, free })
    }

    /// Whether this request may be answered with what was.
    pub(super) fn concerns(&self, operation: &str, body: &[u8]) -> bool {
        let of_index = ["Query", "Scan"].contains(&operation);
        if !of_index && (self.what == Lags::Indexes || !["GetItem", "BatchGetItem"].contains(&operation)) {
            return false;
        }
        let Ok(asked) = serde_json::from_slice::<Asked>(body) else { return false };
        if of_index && asked.index_name.is_some() {
            return true;
        }
        let tables = asked.request_items.as_ref();
        let all =
            tables.map_or(asked.consistent_read, |tables| tables.values().all(|asked| asked.consistent_read));
        self.what == Lags::Reads && !all
    }

    pub(super) fn wrote(&mut self, operation: &str, body: &[u8]) {
        self.missing.push_back((operation.to_owned(), body.to_vec()));
    }

    pub(super) fn catch_up(&mut self) {
        self.free = self.missing.len();
    }

    /// The tables as they are shown now.
    pub(super) fn view(&mut self) -> Result<Database, DynoxideError> {
        let view = match &self.view {
            Some(view) => view.clone(),
            None => {
                let view = Database::memory()?;
                for table in &self.tables {
                    let mut silent = table.clone();
                    // Nobody reads its stream, and the engine looks through all of a stream at every write.
                    if let Some(definition) = silent.definition.as_object_mut() {
                        definition.remove("StreamSpecification");
                    }
                    create(&view, &silent)?;
                }
                self.view.insert(view).clone()
            }
        };
        let seen = self.missing.len().saturating_sub(self.behind).max(self.free);
        for (operation, body) in self.missing.drain(..seen) {
            write(&view, &operation, &body)?;
        }
        self.free = 0;
        Ok(view)
    }
}

fn read<T: serde::de::DeserializeOwned>(request: &Value) -> Result<T, DynoxideError> {
    T::deserialize(request).map_err(unreadable)
}

fn unreadable(error: serde_json::Error) -> DynoxideError {
    DynoxideError::SerializationException(error.to_string())
}

fn write(view: &Database, operation: &str, body: &[u8]) -> Result<(), DynoxideError> {
    let body: Value = serde_json::from_slice(body).map_err(unreadable)?;
    match operation {
        "TransactWriteItems" => {
            let mut request: op::transact_write_items::TransactWriteItemsRequest = read(&body)?;
            request.client_request_token = None;
            view.transact_write_items(request).map(drop)
        }
        "PutItem" => view.put_item(read(&body)?).map(drop),
        "UpdateItem" => view.update_item(read(&body)?).map(drop),
        "DeleteItem" => view.delete_item(read(&body)?).map(drop),
        "BatchWriteItem" => view.batch_write_item(read(&body)?).map(drop),
        other => Err(DynoxideError::ValidationException(format!("{other} cannot lag"))),
    }
}
