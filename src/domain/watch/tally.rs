//! The numbers: how many messages stand where, how long they took, what failed and what it cost, by account and kind, template or carrier.
//!
//! A message is counted at the hour in which it became known, whenever it moves, so what is shown of an hour is what became of that hour's
//! messages, and a failure that turns out to be a delivery is moved and not counted twice. The numbers of an hour are one small sheet, read
//! when it is first touched. Hours are folded into days when they are old. It must not know who asks.

mod cell;
mod names;
pub mod place;

use serde::{Deserialize, Serialize};

pub use cell::Cell;
use cell::Took;
pub use names::{CARRIERS_MAX, KINDS_MAX, TEMPLATES_MAX, VALUE_BYTES_MAX};

use super::{Before, Moved, Sheet};
use crate::domain::ids::AccountId;
use crate::domain::quick::QuickMap;
use crate::domain::time::Millis;
use names::Names;
use place::{By, Of, Period, day_of, hour_of};

/// How long hours stay apart before they are folded into days.
pub const HOURS_KEPT_DAYS: i64 = 40;

/// How long days are kept.
pub const DAYS_KEPT: i64 = 400;

/// Places of older days are dropped from memory; they are read again when a late receipt comes.
const HELD_DAYS: i64 = 2;

/// Places held in memory; beyond that all are dropped after they were handed over.
const HELD_MAX: usize = 20_000;

/// Empty hours or days that one step of upkeep passes over.
const EMPTY_A_STEP: usize = 100;

/// The sheet that says how far upkeep has come.
const TENDED: &str = "tally/tended";

/// Reads sheets: every one whose name begins so, by name.
pub type ReadSheets<'a, E> = &'a dyn Fn(&str) -> Result<Vec<(String, Vec<u8>)>, E>;

/// What a move does to the numbers of a place.
type Count = fn(&mut Cell, &Moved<'_>, Took);

/// What names a place in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct At {
    period: Period,
    account: u32,
    by: By,
    of: u32,
}

#[derive(Debug)]
struct Held {
    name: String,
    cell: Cell,
    dirty: bool,
}

/// The numbers that are being counted.
#[derive(Debug, Default)]
pub struct Tally {
    accounts: QuickMap<AccountId, u32>,
    /// The values of each, by its number.
    names: Vec<(AccountId, Names)>,
    held: QuickMap<At, Held>,
    dirty: Vec<At>,
    /// Sheets to write or to forget that are no places in memory.
    also: Vec<Sheet>,
    tended: Option<Tended>,
    /// The next free number of a value.
    next: u32,
    dropped_day: i64,
}

/// How far upkeep has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tended {
    /// Hours before this one have been folded into days.
    hour: i64,
    /// Days before this one have been forgotten.
    day: i64,
}

impl Tally {
    /// Nothing read yet; everything is read when it is first needed.
    pub fn new() -> Tally {
        Tally { next: names::FIRST, ..Tally::default() }
    }

    /// Counts a move. After an error it must not be used any more: make a new one.
    ///
    /// # Errors
    /// When sheets cannot be read.
    pub fn moved<E>(&mut self, m: &Moved<'_>, read: ReadSheets<'_, E>) -> Result<(), E> {
        self.every_place(m, read, Cell::count)
    }

    /// Takes a message out that is shown no more, since it was merged into another one or lends it its facts. It stood in `from`, with
    /// `price_before`; `to` says nothing.
    ///
    /// # Errors
    /// When sheets cannot be read.
    pub fn gone<E>(&mut self, m: &Moved<'_>, read: ReadSheets<'_, E>) -> Result<(), E> {
        self.every_place(m, read, Cell::uncount)
    }

    fn every_place<E>(&mut self, m: &Moved<'_>, read: ReadSheets<'_, E>, count: Count) -> Result<(), E> {
        let (hour, tended) = (hour_of(m.created_at), self.tended(m.now, read)?);
        let day = day_of(hour);
        if day < tended.day {
            return Ok(());
        }
        let period = if hour < tended.hour { Period::Day(day) } else { Period::Hour(hour) };
        let took = Took::of(m);
        let now = Before { kind: m.kind, template_id: m.template_id, carrier: m.carrier, failure_class: m.failure_class };
        let before = m.before.filter(|_| m.from.is_some()).unwrap_or(now);
        for (by, value, was) in
            [(By::Kind, m.kind, before.kind), (By::Template, m.template_id, before.template_id), (By::Carrier, m.carrier, before.carrier)]
        {
            let period = if by == By::Kind { period } else { Period::Day(day) };
            if value == was {
                self.count_at(period, by, value, (m, took), read, count)?;
                continue;
            }
            // It becomes known of what kind it is, or otherwise than before: it goes from the one place to the other.
            let left = Moved { failure_class: before.failure_class, ..*m };
            self.count_at(period, by, was, (&left, took), read, Cell::uncount)?;
            self.count_at(period, by, value, (&Moved { from: None, before: None, price_before: None, ..*m }, took), read, Cell::count)?;
        }
        Ok(())
    }

    /// Counts at the place of a value; what has neither template nor carrier has no place for it.
    fn count_at<E>(
        &mut self,
        period: Period,
        by: By,
        value: Option<&str>,
        (m, took): (&Moved<'_>, Took),
        read: ReadSheets<'_, E>,
        count: Count,
    ) -> Result<(), E> {
        let (account, of) = self.numbers(m, by, value, read)?;
        if of == names::NOTHING && by != By::Kind {
            return Ok(());
        }
        self.count(At { period, account, by, of }, (m, value, took), read, count)
    }

    fn count<E>(
        &mut self,
        at: At,
        (m, value, took): (&Moved<'_>, Option<&str>, Took),
        read: ReadSheets<'_, E>,
        count: Count,
    ) -> Result<(), E> {
        let of = match at.of {
            names::NOTHING => Of::Nothing,
            names::OTHERS => Of::Others,
            _ => value.map_or(Of::Nothing, Of::Value),
        };
        let held = match self.held.entry(at) {
            std::collections::hash_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::hash_map::Entry::Vacant(free) => {
                let name = place::name(at.period, m.account.as_str(), at.by, of);
                let cell = exact(&name, read)?.and_then(|data| Cell::decode(&data)).unwrap_or_default();
                free.insert(Held { name, cell, dirty: false })
            }
        };
        count(&mut held.cell, m, took);
        if !std::mem::replace(&mut held.dirty, true) {
            self.dirty.push(at);
        }
        Ok(())
    }

    /// The numbers that stand for the account and the value.
    fn numbers<E>(&mut self, m: &Moved<'_>, by: By, value: Option<&str>, read: ReadSheets<'_, E>) -> Result<(u32, u32), E> {
        let day = day_of(hour_of(m.created_at));
        let account = match self.accounts.get(m.account) {
            Some(number) => *number,
            None => {
                let kept = exact(&names_sheet(m.account), read)?.unwrap_or_default();
                let number = self.names.len() as u32;
                self.names.push((m.account.clone(), Names::decode(&kept, &mut self.next)));
                self.accounts.insert(m.account.clone(), number);
                number
            }
        };
        let Some((_, names)) = self.names.get_mut(account as usize) else { return Ok((account, names::NOTHING)) };
        Ok((account, names.number(by, value, day, &mut self.next)))
    }

    /// How far upkeep has come; what is older than it keeps is not kept from the start.
    fn tended<E>(&mut self, now: Millis, read: ReadSheets<'_, E>) -> Result<Tended, E> {
        if let Some(tended) = self.tended {
            return Ok(tended);
        }
        let kept = exact(TENDED, read)?.and_then(|data| postcard::from_bytes(&data).ok());
        let hour = hour_of(now);
        let first = Tended { hour: hour - HOURS_KEPT_DAYS * 24, day: day_of(hour) - DAYS_KEPT };
        let tended = kept.unwrap_or_else(|| self.come_to(first));
        self.tended = Some(tended);
        Ok(tended)
    }

    fn come_to(&mut self, tended: Tended) -> Tended {
        self.tended = Some(tended);
        self.also.push(Sheet { name: TENDED.to_owned(), data: Some(postcard::to_stdvec(&tended).unwrap_or_default()) });
        tended
    }

    /// What changed since the last time, to be kept in the same commit as the moves. Nothing may be read between this and that commit;
    /// when it fails, make a new one.
    pub fn take_changed(&mut self) -> Vec<Sheet> {
        let mut sheets = std::mem::take(&mut self.also);
        for at in self.dirty.drain(..) {
            if let Some(held) = self.held.get_mut(&at) {
                held.dirty = false;
                sheets.push(Sheet { name: held.name.clone(), data: Some(held.cell.encode()) });
            }
        }
        for (account, names) in &mut self.names {
            if std::mem::take(&mut names.changed) {
                sheets.push(Sheet { name: names_sheet(account), data: Some(names.encode()) });
            }
        }
        if self.held.len() > HELD_MAX {
            self.held.clear();
        }
        sheets
    }

    /// One step of upkeep: folds an hour that is old into its day, or forgets a day that is older. `true` when there may be more. What
    /// it changes is among what [`Tally::take_changed`] gives next. Does nothing while there are changes that were not taken and kept.
    ///
    /// # Errors
    /// When sheets cannot be read.
    pub fn tend<E>(&mut self, now: Millis, read: ReadSheets<'_, E>) -> Result<bool, E> {
        if !self.dirty.is_empty() || !self.also.is_empty() {
            return Ok(true);
        }
        let hour = hour_of(now);
        let today = day_of(hour);
        if self.dropped_day < today {
            self.dropped_day = today;
            self.held.retain(|at, _| at.day() > today - HELD_DAYS);
        }
        let (done, to) = (self.tended(now, read)?, Tended { hour: hour - HOURS_KEPT_DAYS * 24, day: today - DAYS_KEPT });
        if done.hour < to.hour {
            let hour = self.fold_hours(done.hour, to.hour, read)?;
            self.come_to(Tended { hour, ..done });
        } else if done.day < to.day {
            let day = self.forget_days(done.day, to.day, read)?;
            self.come_to(Tended { day, ..done });
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Folds the first hour that is not empty, and passes over the empty ones before it. The hour that comes next.
    fn fold_hours<E>(&mut self, from: i64, to: i64, read: ReadSheets<'_, E>) -> Result<i64, E> {
        let mut hour = from;
        for _ in 0..EMPTY_A_STEP {
            let sheets = read(&Period::Hour(hour).prefix())?;
            let empty = sheets.is_empty();
            for (name, data) in sheets {
                self.fold_sheet(hour, &name, &data, read)?;
            }
            hour += 1;
            if !empty || hour >= to {
                break;
            }
        }
        // What memory holds of these days is not what is kept any more.
        self.held.retain(|at, _| at.day() > day_of(hour));
        Ok(hour)
    }

    /// Forgets the first day that is not empty, and passes over the empty ones before it. The day that comes next.
    fn forget_days<E>(&mut self, from: i64, to: i64, read: ReadSheets<'_, E>) -> Result<i64, E> {
        let mut day = from;
        for _ in 0..EMPTY_A_STEP {
            let sheets = read(&Period::Day(day).prefix())?;
            let empty = sheets.is_empty();
            self.also.extend(sheets.into_iter().map(|(name, _)| Sheet { name, data: None }));
            day += 1;
            if !empty || day >= to {
                break;
            }
        }
        self.held.retain(|at, _| at.day() >= day);
        Ok(day)
    }

    fn fold_sheet<E>(&mut self, hour: i64, name: &str, data: &[u8], read: ReadSheets<'_, E>) -> Result<(), E> {
        self.also.push(Sheet { name: name.to_owned(), data: None });
        let (Some(place), Some(cell)) = (place::read(name), Cell::decode(data)) else { return Ok(()) };
        let of = match (&place.value, place.others) {
            (_, true) => Of::Others,
            (None, _) => Of::Nothing,
            (Some(value), _) => Of::Value(value),
        };
        let day = place::name(Period::Day(day_of(hour)), &place.account, place.by, of);
        let mut sum = exact(&day, read)?.and_then(|data| Cell::decode(&data)).unwrap_or_default();
        sum.merge(&cell);
        self.also.push(Sheet { name: day, data: Some(sum.encode()) });
        Ok(())
    }
}

impl At {
    fn day(&self) -> i64 {
        match self.period {
            Period::Hour(hour) => day_of(hour),
            Period::Day(day) => day,
        }
    }
}

/// How long messages took at an hour of the day: the numbers of that hour and of the hours beside it, over the days before.
///
/// # Errors
/// When sheets cannot be read.
pub fn usual<E>(account: &AccountId, kind: Option<&str>, now: Millis, days: i64, read: ReadSheets<'_, E>) -> Result<Cell, E> {
    let mut sum = Cell::default();
    let hour = hour_of(now);
    for hour in (1..=days).flat_map(|back| (hour - back * 24 - 1)..=(hour - back * 24 + 1)) {
        let name = place::name(Period::Hour(hour), account.as_str(), By::Kind, kind.map_or(Of::Nothing, Of::Value));
        if let Some(cell) = exact(&name, read)?.and_then(|data| Cell::decode(&data)) {
            sum.merge(&cell);
        }
    }
    Ok(sum)
}

/// The first hour that is still kept apart: those before it are kept only in the sum of their day.
///
/// # Errors
/// When sheets cannot be read.
pub fn first_hour_apart<E>(read: ReadSheets<'_, E>) -> Result<i64, E> {
    let tended = exact(TENDED, read)?.and_then(|data| postcard::from_bytes::<Tended>(&data).ok());
    Ok(tended.map_or(i64::MIN, |tended| tended.hour))
}

fn names_sheet(account: &AccountId) -> String {
    format!("tally/names/{account}")
}

fn exact<E>(name: &str, read: ReadSheets<'_, E>) -> Result<Option<Vec<u8>>, E> {
    Ok(read(name)?.into_iter().find(|(found, _)| found == name).map(|(_, data)| data))
}

#[cfg(test)]
mod tests;
