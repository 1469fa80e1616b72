//! `baophat rebuild`: the messages made anew from the stored records. The server must be stopped.
//!
//! Messages are a function of the records, so this changes nothing unless a newer program reads a record differently. Records that
//! retention has deleted cannot be folded again: then it refuses, unless what is there is kept and folded upon.

use std::sync::Arc;

use clap::Args;
use serde_json::json;

use super::lang::say;
use super::out::{Field, Out};
use super::progress::Progress;
use super::reprocess::parts;
use super::{CliError, Globals, Json, Verdict, open};
use crate::domain::failure::Lang;
use crate::domain::ids::Seq;
use crate::domain::projection::Change;
use crate::ingest::{AccountRules, Health, Projector};
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::{AccountNumbers, StateFile};

/// Options of `rebuild`.
#[derive(Debug, Args)]
pub struct Options {
    /// Keep the messages that are there and fold every kept record on top of them
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    json: Json,
}

/// Makes the messages anew.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let config = open::config(globals)?;
    let lang = open::lang(globals, options.json.json, &config);
    let place = open::place(&config);
    let inbox = InboxReader::open(&place)?;
    let _lock = place.lock()?;
    let rules = Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone()).learning(config.stuck.learned_floor()));
    let last = inbox.last_seq()?;
    if !options.keep {
        refuse_loss(&inbox, last, &rules)?;
    }
    let mut state = StateFile::open_writer(&place, AccountNumbers::new(inbox.accounts()?))?;
    if options.keep {
        state.commit(&Change::default(), &[], Some(0))?;
    } else {
        state.clear()?;
    }
    drop(state);
    let state = StateFile::open_reader(&place, AccountNumbers::new(inbox.accounts()?))?;
    let opened = open::Opened { config, place, inbox, state, rules, lang };
    fold(&opened, last, options.keep)?;
    let mut out = Out::stdout(globals.no_color);
    let counts = opened.state.counts()?;
    let messages: u64 = counts.iter().map(|(_, n)| n).sum();
    if options.json.json {
        out.json(&json!({ "last_seq": last, "messages": messages }))?;
    } else {
        let text = match lang {
            Lang::Vi => format!("Đã dựng lại {messages} tin từ các bản ghi đến số {last}."),
            Lang::En => format!("{messages} messages made from the records up to {last}."),
        };
        out.line(&[Field::from(text)])?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// Refuses when clearing would lose what the kept records cannot give back.
fn refuse_loss(inbox: &InboxReader, last: Seq, rules: &AccountRules) -> Result<(), CliError> {
    let first = inbox.first_seq()?;
    if last > 0 && first != Some(1) {
        let kept = first.map_or("none is kept".to_owned(), |n| format!("the first kept one is {n}"));
        return Err(CliError::No(format!(
            "the oldest records were deleted by retention ({kept}), so messages made from them would be lost; add --keep to fold the kept records on top of \
             what is there"
        )));
    }
    let gone = |slug: &String| rules.find(slug).is_none();
    let gone: Vec<String> = inbox.accounts()?.into_iter().map(|(_, slug, _)| slug).filter(gone).collect();
    if gone.is_empty() {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "records of {} cannot be read without their account, and their messages would be lost; configure it again (any secret will do), or add --keep",
        gone.join(", ")
    )))
}

/// Folds every record and looks at every deadline, until nothing is left.
fn fold(opened: &open::Opened, last: Seq, keep: bool) -> Result<(), CliError> {
    let (projector, handle) = Projector::new(parts(opened, Arc::new(Health::default()))?)?;
    let mut projector = projector.past(keep);
    let mut progress = Progress::new(say(opened.lang, "dựng lại", "rebuild"));
    while projector.step()? {
        progress.at(handle.cursor(), last);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::AccountId;
    use crate::domain::record::Content;
    use crate::domain::time::Millis;
    use crate::store::sqlite::Place;
    use crate::store::sqlite::inbox::{InboxWriter, Submission};

    #[test]
    fn it_refuses_when_records_were_pruned_or_an_account_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let mut writer = InboxWriter::open(&place).unwrap();
        let reader = InboxReader::open(&place).unwrap();
        let rules = AccountRules::default();
        refuse_loss(&reader, 0, &rules).unwrap();
        let account = AccountId::parse("shop").unwrap();
        let one =
            Submission { provider: "zalo", account, received_at: Millis(1), content: Content::Registrations(Vec::new()), identity: None };
        writer.append(&[one.clone(), one]).unwrap();
        assert_eq!(refuse_loss(&reader, 2, &rules).unwrap_err().exit_code(), 2);
        writer.prune(Millis(9), 1, 10).unwrap();
        assert_eq!(refuse_loss(&reader, 2, &rules).unwrap_err().exit_code(), 1);
    }
}
