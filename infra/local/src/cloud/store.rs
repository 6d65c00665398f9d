//! What the local cloud remembers besides tables and objects: messages in queues, checkpoints, schedules'
//! last runs.
//!
//! One SQLite file in WAL mode; whatever a call returned from has survived the process. Invariant: a message
//! leaves its queue only by a delete, a purge, a move to its dead-letter queue or the end of its retention.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::template::Queue;

/// A failure of the file below; nothing a caller can repair.
#[derive(Debug, thiserror::Error)]
#[error("the local cloud's store failed")]
pub struct StoreError(#[from] rusqlite::Error);

type Result<T> = std::result::Result<T, StoreError>;

/// A message to be sent.
#[derive(Debug, Clone, Default)]
pub(super) struct New {
    pub(super) queue: String,
    pub(super) body: String,
    /// Message attributes as JSON.
    pub(super) attributes: Option<String>,
    pub(super) group: Option<String>,
    pub(super) dedup: Option<String>,
    /// Milliseconds until it can be received.
    pub(super) delay: i64,
}

/// A message as received.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: i64,
    pub(super) body: String,
    pub(super) attributes: Option<String>,
    pub(super) group: Option<String>,
    pub(super) dedup: Option<String>,
    pub(super) sent: i64,
    pub(super) first: i64,
    pub(super) received: i64,
    /// The queue it failed in, when it lies in a dead-letter queue.
    pub(super) origin: Option<String>,
}

/// How full a queue is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Depth {
    pub(super) visible: i64,
    pub(super) hidden: i64,
    pub(super) delayed: i64,
}

#[derive(Debug)]
pub(super) struct Store {
    connection: Mutex<Connection>,
    /// What is in the file, too: schedules are looked at again and again.
    marks: Mutex<BTreeMap<String, i64>>,
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT,
    grp TEXT, dedup TEXT, sent INTEGER NOT NULL, visible INTEGER NOT NULL, first INTEGER,
    received INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0, origin TEXT);
CREATE INDEX IF NOT EXISTS message_ready ON message (queue, visible, id);
CREATE INDEX IF NOT EXISTS message_group ON message (queue, grp, id) WHERE grp IS NOT NULL;
CREATE TABLE IF NOT EXISTS dedup (
    queue TEXT NOT NULL, id TEXT NOT NULL, until INTEGER NOT NULL, message INTEGER NOT NULL,
    PRIMARY KEY (queue, id));
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
";

const COLUMNS: &str = "id, body, attributes, grp, dedup, sent, first, received, origin";

/// SQS remembers a deduplication id for five minutes.
const DEDUP_WINDOW: i64 = 300_000;

impl Store {
    /// Opens the file; `durable` off gives up surviving a power failure for speed.
    pub(super) fn open(path: &Path, durable: bool) -> Result<Self> {
        let connection = Connection::open(path)?;
        if !durable {
            // Nobody else looks at it: no locks, no shared index of the log.
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        }
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", if durable { "NORMAL" } else { "OFF" })?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.execute_batch(SCHEMA)?;
        // Whoever held these ended with the last process.
        connection.execute("UPDATE message SET visible = 0, held = 0 WHERE held = 1", [])?;
        let marks = marks(&connection)?;
        Ok(Self { connection: Mutex::new(connection), marks: Mutex::new(marks) })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends all or none; answers their ids. A repeated deduplication id answers the first message's.
    pub(super) fn send(&self, messages: &[New], now: i64) -> Result<Vec<i64>> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut ids = Vec::with_capacity(messages.len());
        for message in messages {
            ids.push(send_one(&transaction, message, now)?);
        }
        transaction.commit()?;
        Ok(ids)
    }

    /// Takes up to `limit` visible messages and hides them until `until`; those received too often go to the
    /// dead-letter queue instead. `held` marks that the process itself works on them.
    pub(super) fn receive(
        &self,
        queue: &Queue,
        limit: usize,
        now: i64,
        until: i64,
        held: bool,
    ) -> Result<Vec<Message>> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut taken = Vec::new();
        // Found ones that were received too often leave the queue, so that the next look finds others.
        loop {
            let found = visible(&transaction, queue, limit, now)?;
            let (spent, fresh): (Vec<_>, Vec<_>) = found.into_iter().partition(|message| {
                queue.redrive.as_ref().is_some_and(|(_, most)| message.received >= i64::from(*most))
            });
            for message in &spent {
                bury(&transaction, queue, message.id, now)?;
            }
            if !fresh.is_empty() || spent.is_empty() {
                taken.extend(fresh);
                break;
            }
        }
        for message in &mut taken {
            message.received = message.received.saturating_add(1);
            if message.received == 1 {
                message.first = now;
            }
            transaction
                .prepare_cached(
                    "UPDATE message SET visible = ?2, received = ?3, first = ?4, held = ?5 WHERE id = ?1",
                )?
                .execute(params![message.id, until, message.received, message.first, held])?;
        }
        transaction.commit()?;
        Ok(taken)
    }

    /// Deletes messages that nobody received again since; answers how many there were.
    pub(super) fn delete(&self, receipts: &[(i64, i64)]) -> Result<usize> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut deleted = 0_usize;
        for (id, received) in receipts {
            let gone = transaction
                .prepare_cached("DELETE FROM message WHERE id = ?1 AND received = ?2")?
                .execute(params![id, received])?;
            deleted = deleted.saturating_add(gone);
        }
        transaction.commit()?;
        Ok(deleted)
    }

    /// Leaves failed messages hidden until `until`.
    pub(super) fn release(&self, receipts: &[(i64, i64)], until: i64) -> Result<usize> {
        let mut connection = self.lock();
        let transaction = connection.transaction()?;
        let mut changed = 0_usize;
        for (id, received) in receipts {
            let one = transaction
                .prepare_cached("UPDATE message SET visible = ?3, held = 0 WHERE id = ?1 AND received = ?2")?
                .execute(params![id, received, until])?;
            changed = changed.saturating_add(one);
        }
        transaction.commit()?;
        Ok(changed)
    }

    /// Makes what waits for its visibility time-out visible, except what is being worked on.
    pub(super) fn reveal(&self, queue: &str, now: i64) -> Result<usize> {
        let sql =
            "UPDATE message SET visible = ?2 WHERE queue = ?1 AND visible > ?2 AND held = 0 AND received > 0";
        Ok(self.lock().prepare_cached(sql)?.execute(params![queue, now])?)
    }

    pub(super) fn purge(&self, queue: &str) -> Result<usize> {
        Ok(self.lock().execute("DELETE FROM message WHERE queue = ?1", [queue])?)
    }

    /// Moves messages of a dead-letter queue back to where they failed, or to `target`. Their retention begins anew, as
    /// that of messages that are new (AWS, "Configuring a dead-letter queue redrive").
    pub(super) fn move_back(&self, dead: &str, target: Option<&str>, now: i64) -> Result<usize> {
        let sql =
            "UPDATE message SET queue = COALESCE(?2, origin), origin = NULL, received = 0, first = NULL,
                   visible = ?3, sent = ?3 WHERE queue = ?1 AND COALESCE(?2, origin) IS NOT NULL";
        Ok(self.lock().execute(sql, params![dead, target, now])?)
    }

    /// Drops what is older than the queue keeps it.
    pub(super) fn expire(&self, queue: &Queue, now: i64) -> Result<usize> {
        let before = now.saturating_sub(i64::from(queue.retention).saturating_mul(1_000));
        let sql = "DELETE FROM message WHERE queue = ?1 AND sent < ?2 AND held = 0";
        Ok(self.lock().prepare_cached(sql)?.execute(params![queue.name, before])?)
    }

    /// The messages of a queue without receiving them.
    pub(super) fn peek(&self, queue: &str, limit: u32) -> Result<Vec<Message>> {
        let connection = self.lock();
        let sql = format!("SELECT {COLUMNS} FROM message WHERE queue = ?1 ORDER BY id LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![queue, limit], message)?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    }

    pub(super) fn depth(&self, queue: &str, now: i64) -> Result<Depth> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT COUNT(*) FILTER (WHERE visible <= ?2),
                    COUNT(*) FILTER (WHERE visible > ?2 AND received > 0),
                    COUNT(*) FILTER (WHERE visible > ?2 AND received = 0) FROM message WHERE queue = ?1",
        )?;
        let depth = statement.query_row(params![queue, now], |row| {
            Ok(Depth { visible: row.get(0)?, hidden: row.get(1)?, delayed: row.get(2)? })
        })?;
        Ok(depth)
    }

    /// The same of every queue that has any.
    pub(super) fn depths(&self, now: i64) -> Result<BTreeMap<String, Depth>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT queue, COUNT(*) FILTER (WHERE visible <= ?1),
                    COUNT(*) FILTER (WHERE visible > ?1 AND received > 0),
                    COUNT(*) FILTER (WHERE visible > ?1 AND received = 0) FROM message GROUP BY queue",
        )?;
        let depths = statement.query_map([now], |row| {
            let depth = Depth { visible: row.get(1)?, hidden: row.get(2)?, delayed: row.get(3)? };
            Ok((row.get(0)?, depth))
        })?;
        Ok(depths.collect::<rusqlite::Result<_>>()?)
    }

    /// The queues that may have something to deliver now.
    pub(super) fn ready_queues(&self, now: i64) -> Result<BTreeSet<String>> {
        let connection = self.lock();
        let sql = "SELECT DISTINCT queue FROM message WHERE visible <= ?1 AND held = 0";
        let mut statement = connection.prepare_cached(sql)?;
        let queues = statement.query_map([now], |row| row.get(0))?;
        Ok(queues.collect::<rusqlite::Result<_>>()?)
    }

    /// By queue, when its next hidden message becomes visible, other than those being worked on.
    pub(super) fn all_next_visible(&self, after: i64) -> Result<BTreeMap<String, i64>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT queue, MIN(visible) FROM message WHERE visible > ?1 AND held = 0 GROUP BY queue",
        )?;
        let next = statement.query_map([after], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(next.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a queue may have something to deliver now.
    pub(super) fn ready(&self, queue: &str, now: i64) -> Result<bool> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM message WHERE queue = ?1 AND visible <= ?2 AND held = 0)",
        )?;
        Ok(statement.query_row(params![queue, now], |row| row.get(0))?)
    }

    /// When the next hidden message of a queue becomes visible, other than those being worked on.
    pub(super) fn next_visible(&self, queue: &str, after: i64) -> Result<Option<i64>> {
        let connection = self.lock();
        let mut statement = connection.prepare_cached(
            "SELECT visible FROM message WHERE queue = ?1 AND visible > ?2 AND held = 0
             ORDER BY visible LIMIT 1",
        )?;
        Ok(statement.query_row(params![queue, after], |row| row.get(0)).optional()?)
    }

    pub(super) fn mark(&self, name: &str) -> Option<i64> {
        self.marks().get(name).copied()
    }

    pub(super) fn set_mark(&self, name: &str, value: i64) -> Result<()> {
        let sql =
            "INSERT INTO mark (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2";
        // Held over the call: the file and what is remembered change together.
        let mut marks = self.marks();
        self.lock().prepare_cached(sql)?.execute(params![name, value])?;
        marks.insert(name.to_owned(), value);
        Ok(())
    }

    fn marks(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn marks(connection: &Connection) -> rusqlite::Result<BTreeMap<String, i64>> {
    let mut statement = connection.prepare("SELECT name, value FROM mark")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn visible(connection: &Connection, queue: &Queue, limit: usize, now: i64) -> rusqlite::Result<Vec<Message>> {
    let sql = if queue.fifo {
        // A message waits for the earlier ones of its group that are hidden.
        format!(
            "SELECT {COLUMNS} FROM message m WHERE queue = ?1 AND visible <= ?2 AND held = 0 AND NOT EXISTS (
                 SELECT 1 FROM message e WHERE e.queue = ?1 AND e.grp = m.grp AND e.id < m.id
                 AND (e.visible > ?2 OR e.held = 1)) ORDER BY id LIMIT ?3"
        )
    } else {
        format!(
            "SELECT {COLUMNS} FROM message WHERE queue = ?1 AND visible <= ?2 AND held = 0
             ORDER BY visible, id LIMIT ?3"
        )
    };
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    statement.query_map(params![queue.name, now, limit], message)?.collect()
}

/// Moves a message to the queue's dead letters.
fn bury(connection: &Connection, queue: &Queue, id: i64, now: i64) -> rusqlite::Result<usize> {
    let dead = queue.redrive.as_ref().map(|(dead, _)| dead);
    connection
        .prepare_cached(
            "UPDATE message SET origin = queue, queue = ?2, received = 0, first = NULL, held = 0, visible = ?3
             WHERE id = ?1",
        )?
        .execute(params![id, dead, now])
}

fn send_one(connection: &Connection, message: &New, now: i64) -> rusqlite::Result<i64> {
    if let Some(dedup) = &message.dedup {
        let sql = "SELECT message FROM dedup WHERE queue = ?1 AND id = ?2 AND until > ?3";
        let known =
            connection.prepare_cached(sql)?.query_row(params![message.queue, dedup, now], |row| row.get(0));
        if let Some(known) = known.optional()? {
            return Ok(known);
        }
    }
    connection
        .prepare_cached(
            "INSERT INTO message (queue, body, attributes, grp, dedup, sent, visible)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            message.queue,
            message.body,
            message.attributes,
            message.group,
            message.dedup,
            now,
            now.saturating_add(message.delay)
        ])?;
    let id = connection.last_insert_rowid();
    if let Some(dedup) = &message.dedup {
        connection
            .prepare_cached("DELETE FROM dedup WHERE queue = ?1 AND until <= ?2")?
            .execute(params![message.queue, now])?;
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO dedup (queue, id, until, message) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![message.queue, dedup, now.saturating_add(DEDUP_WINDOW), id])?;
    }
    Ok(id)
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        body: row.get(1)?,
        attributes: row.get(2)?,
        group: row.get(3)?,
        dedup: row.get(4)?,
        sent: row.get(5)?,
        first: row.get::<_, Option<i64>>(6)?.unwrap_or_default(),
        received: row.get(7)?,
        origin: row.get(8)?,
    })
}
