//! Ties by reference: a registered message whose id nobody told borrows the facts of the message that carries its reference.
//!
//! The choice is a function of what is known of the candidates (earliest claim, then smaller id), so it ends the same in any order;
//! an id from an answer or a registration undoes it.

use super::{Key, Source, Workbench, differences};
use crate::domain::ids::Row;
use crate::domain::message::Message;

impl<S: Source> Workbench<'_, S> {
    /// Looks again at every tie that a change of this message may make or break.
    pub(super) fn bind_around(&mut self, row: Row) -> Result<(), S::Error> {
        let message = self.view(row)?;
        if message.merged_into.is_some() {
            return Ok(());
        }
        let account = message.account.clone();
        let registered = message.facts.reference.is_some();
        let lent_to = message.lent_to;
        let claim = message.facts.effective_claim().map(|(r, _)| r.to_owned());
        if registered {
            self.rebind(row)?;
        }
        if let Some(borrower) = lent_to {
            self.rebind(borrower)?;
        }
        if let Some(reference) = claim
            && let Some(borrower) = self.find_registered(&account, &reference)?
            && borrower != row
            && Some(borrower) != lent_to
        {
            self.rebind(borrower)?;
        }
        Ok(())
    }

    /// Chooses anew whose facts a registered message borrows.
    fn rebind(&mut self, row: Row) -> Result<(), S::Error> {
        let message = self.view(row)?;
        let borrows = message.borrows;
        let wanted = match (&message.facts.reference, message.facts.ids.is_empty()) {
            (Some(reference), true) => {
                let borrower = message.clone();
                let reference = reference.clone();
                self.best_candidate(&borrower, &reference)?
            }
            _ => None,
        };
        if wanted != borrows {
            self.untie(row)?;
            if let Some(lender) = wanted {
                self.edit(row)?.borrows = Some(lender);
                self.edit(lender)?.lent_to = Some(row);
                self.touch(lender);
            }
            self.touch(row);
        }
        Ok(())
    }

    fn best_candidate(&mut self, borrower: &Message, reference: &str) -> Result<Option<Row>, S::Error> {
        let mut best: Option<((bool, Option<_>, String), Row)> = None;
        for row in self.rows(Key::claim(reference))? {
            let Some(candidate) = self.get(row)? else { continue };
            // Registered by its id alone it may be this very message; registered under a reference, or as another one, it is not.
            let own = candidate.facts.reference.is_some() || !differences(&candidate.facts, &borrower.facts).is_empty();
            let free = candidate.merged_into.is_none() && !own && candidate.lent_to.is_none_or(|to| to == borrower.row);
            if row == borrower.row || candidate.account != borrower.account || !free {
                continue;
            }
            let Some((claimed, proof)) = candidate.facts.effective_claim() else { continue };
            let recipients = (candidate.facts.shown_recipient(), borrower.facts.shown_recipient());
            let fits = !proof.same_recipient || matches!(recipients, (Some(a), Some(b)) if a == b);
            if claimed != reference || !fits {
                continue;
            }
            let rank = (proof.at.is_none(), proof.at, candidate.facts.message_id().unwrap_or_default().to_owned());
            if best.as_ref().is_none_or(|(r, _)| rank < *r) {
                best = Some((rank, row));
            }
        }
        Ok(best.map(|(_, row)| row))
    }

    /// Undoes the ties of a message.
    pub(super) fn untie(&mut self, row: Row) -> Result<(), S::Error> {
        let (borrows, lent_to) = {
            let m = self.view(row)?;
            (m.borrows, m.lent_to)
        };
        if let Some(lender) = borrows {
            self.edit(row)?.borrows = None;
            self.edit(lender)?.lent_to = None;
            self.touch(lender);
            self.touch(row);
        }
        if let Some(borrower) = lent_to {
            self.edit(row)?.lent_to = None;
            self.edit(borrower)?.borrows = None;
            self.touch(borrower);
            self.touch(row);
        }
        Ok(())
    }
}
