//! SQLite behind the seam: each call goes to the method of the same name, which holds the SQL. It must add nothing of its own.

use super::inbox::{InboxReader, InboxWriter};
use super::state::{AccountNumbers, StateFile};
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::projection::Change;
use crate::domain::record::{Record, Status};
use crate::domain::time::Millis;
use crate::store::{NumberedAccount, Outcome, Receipt, RecordReader, RecordWriter, StateWriter, StoreError, Submission};

impl RecordWriter for InboxWriter {
    fn append(&mut self, batch: &[Submission]) -> Result<Vec<Receipt>, StoreError> {
        InboxWriter::append(self, batch)
    }

    fn recover(&mut self, now: Millis) -> Result<(), StoreError> {
        InboxWriter::recover(self, now)
    }

    fn tend_repeats(&mut self, now: Millis) -> Result<(), StoreError> {
        InboxWriter::tend_repeats(self, now)
    }

    fn prune(&mut self, before: Millis, cursor: Seq, limit: usize) -> Result<usize, StoreError> {
        InboxWriter::prune(self, before, cursor, limit)
    }

    fn prove(&self) -> Result<(), StoreError> {
        InboxWriter::prove(self)
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        InboxWriter::checkpoint(self)
    }
}

impl RecordReader for InboxReader {
    fn usable(&self) -> Result<(), StoreError> {
        InboxReader::usable(self)
    }

    fn after(&self, cursor: Seq, limit: usize) -> Result<Vec<Record>, StoreError> {
        InboxReader::after(self, cursor, limit)
    }

    fn get(&self, seq: Seq) -> Result<Option<Record>, StoreError> {
        InboxReader::get(self, seq)
    }

    fn last_seq(&self) -> Result<Seq, StoreError> {
        InboxReader::last_seq(self)
    }

    fn accounts(&self) -> Result<Vec<NumberedAccount>, StoreError> {
        InboxReader::accounts(self)
    }
}

impl StateWriter for StateFile {
    fn usable(&self) -> Result<(), StoreError> {
        StateFile::usable(self)
    }

    fn place(&self) -> String {
        StateFile::place(self).to_owned()
    }

    fn cursor(&self) -> Result<Seq, StoreError> {
        StateFile::cursor(self)
    }

    fn due(&self, now: Millis, limit: usize) -> Result<Vec<Row>, StoreError> {
        StateFile::due(self, now, limit)
    }

    fn stuck_rows(&self, account: &AccountId, since: Millis, after: Row, limit: usize) -> Result<Vec<Row>, StoreError> {
        StateFile::stuck_rows(self, account, since, after, limit)
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        StateFile::begin(self)
    }

    fn give_up(&mut self) {
        StateFile::give_up(self);
    }

    fn sheets(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        StateFile::sheets(self, prefix)
    }

    fn commit(&mut self, change: &Change, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError> {
        StateFile::commit(self, change, outcomes, cursor)
    }

    fn callbacks_with(&self, status: Status, after: Seq, limit: usize) -> Result<Vec<Seq>, StoreError> {
        StateFile::callbacks_with(self, status, after, limit)
    }

    fn prune(&mut self, before: Millis, records_before: Millis, limit: usize) -> Result<usize, StoreError> {
        StateFile::prune(self, before, records_before, limit)
    }

    fn knows_account(&self, account: &AccountId) -> bool {
        self.accounts.no(account).is_some()
    }

    fn learn_accounts(&mut self, all: Vec<NumberedAccount>) {
        self.accounts = AccountNumbers::new(all);
    }

    fn sync(&mut self) -> Result<bool, StoreError> {
        StateFile::sync(self)
    }

    fn prove(&self) -> Result<(), StoreError> {
        StateFile::prove(self)
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        StateFile::checkpoint(self)
    }
}
