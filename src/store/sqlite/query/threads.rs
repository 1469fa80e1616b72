//! Conversations by account and customer, of whichever OA or Page.

use rusqlite::params;

use crate::domain::ids::AccountId;
use crate::domain::thread::Thread;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::state::{StateFile, decode_thread};

impl StateFile {
    /// The conversations of a customer with an account, by sender.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn conversations(&self, account: &AccountId, recipient: &str) -> Result<Vec<(String, Thread)>, StoreError> {
        let engine = |e| classify("reading conversations", e);
        let Some((no, _)) = self.accounts.no(account) else { return Ok(Vec::new()) };
        // Steps from sender to sender over the unique index (account, sender, recipient): costs by senders, not by conversations.
        let sql = "WITH RECURSIVE s(x) AS (
                     SELECT min(sender) FROM thread WHERE account = ?1
                     UNION ALL
                     SELECT (SELECT min(sender) FROM thread WHERE account = ?1 AND sender > x) FROM s WHERE x IS NOT NULL)
                   SELECT t.sender, t.marks FROM s CROSS JOIN thread t ON t.account = ?1 AND t.sender = s.x AND t.recipient = ?2";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let mut rows = all.query(params![no, recipient]).map_err(engine)?;
        let mut found = Vec::new();
        while let Some(r) = rows.next().map_err(engine)? {
            let marks = r.get_ref(1).map_err(engine)?.as_blob().map_err(|e| engine(e.into()))?;
            found.push((r.get(0).map_err(engine)?, decode_thread(marks)?));
        }
        Ok(found)
    }
}
