//! Groups of stuck messages, and counts by state.

use super::StuckGroup;
use crate::domain::state::State;
use crate::domain::stuck::Cause;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::state::StateFile;
use crate::store::sqlite::state::source::state_of;

impl StateFile {
    /// The groups of stuck messages, largest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stuck_groups(&self) -> Result<Vec<StuckGroup>, StoreError> {
        let engine = |e| classify("grouping stuck messages", e);
        // One row a group, and one step into message_stuck_group for the oldest of each.
        let sql = "SELECT account, nullif(kind, ''), state, cause, count,
                     (SELECT min(stuck_since) FROM message INDEXED BY message_stuck_group WHERE stuck_cause IS NOT NULL
                        AND account = g.account AND kind IS nullif(g.kind, '') AND state = g.state AND stuck_cause = g.cause)
                   FROM stuck_group g WHERE count > 0";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let mut rows = all.query([]).map_err(engine)?;
        let mut groups = Vec::new();
        while let Some(r) = rows.next().map_err(engine)? {
            let read = || -> rusqlite::Result<_> {
                Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?, r.get::<_, i64>(4)?, r.get(5)?))
            };
            let (no, kind, state, cause, count, since) = read().map_err(engine)?;
            if let (Some(account), Some(cause)) = (self.accounts.id(no), Cause::parse(&cause)) {
                let (account, state) = (account.clone(), state_of(state));
                groups.push(StuckGroup { account, kind, state, cause, count: count as u64, oldest_since: Millis(since) });
            }
        }
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.account, &a.kind, a.state).cmp(&(&b.account, &b.kind, b.state))));
        Ok(groups)
    }

    /// How many listed messages there are by state, of one account or of all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let engine = |e| classify("counting messages", e);
        let sql = "SELECT state, count(*) FROM message INDEXED BY message_state WHERE listed_at IS NOT NULL GROUP BY state";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map([], |r| Ok((state_of(r.get(0)?), r.get::<_, i64>(1)? as u64))).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }
}
