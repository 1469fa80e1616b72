//! Why callbacks were refused, looked at behind the answer: the 401 is decided before and waits for none of it, so its time tells
//! nothing of how near a forged proof was. Bounded per account and minute, and in how many run at once; the rest goes unexamined.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::{HttpRequest, rt, web};

use super::App;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::providers::{self, Unproven};

/// Most refusals of one account that are examined in one minute: a flood of forged callbacks costs no more than these.
pub const EXAMINED_PER_MINUTE_MAX: u32 = 20;

/// Most examinations at once; each may hold one body.
pub const EXAMINED_AT_ONCE_MAX: usize = 8;

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

/// Sees to the bounds. Only configured accounts are asked for, so strangers cannot make it grow.
#[derive(Debug, Default)]
pub struct Examiner {
    minutes: Mutex<HashMap<AccountId, (i64, u32)>>,
    running: AtomicUsize,
}

impl Examiner {
    /// One more examination may begin; [`Examiner::end`] is then owed.
    fn begin(&self, account: &AccountId, now: Millis) -> bool {
        if self.running.fetch_add(1, Ordering::Relaxed) < EXAMINED_AT_ONCE_MAX && self.admits(account, now.0.div_euclid(MINUTE)) {
            return true;
        }
        self.end();
        false
    }

    fn admits(&self, account: &AccountId, minute: i64) -> bool {
        let Ok(mut minutes) = self.minutes.lock() else { return false };
        let (its_minute, examined) = minutes.entry(account.clone()).or_insert((minute, 0));
        if *its_minute != minute {
            (*its_minute, *examined) = (minute, 0);
        }
        let admitted = *examined < EXAMINED_PER_MINUTE_MAX;
        *examined += u32::from(admitted);
        admitted
    }

    fn end(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Makes room for the next examination, however this one ends.
struct Ended(web::Data<App>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.examiner.end();
    }
}

/// Examines a refused callback, which stands in the list of the refused under this number, on another thread and some time.
pub fn start(request: &HttpRequest, app: &web::Data<App>, unproven: Unproven, number: u64, token: Option<&str>) {
    let Unproven { mut callback, .. } = unproven;
    let Some(known) = app.rules.get(&callback.account) else { return };
    if !app.examiner.begin(&callback.account, app.clock.now()) {
        return;
    }
    let (spec, account) = (known.spec, known.account.clone());
    let more = spec.examined_headers.iter().filter_map(|name| Some((*name, request.headers().get(*name)?)));
    callback.headers.extend(more.map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())));
    let (app, token) = (app.clone(), token.map(str::to_owned));
    let ended = Ended(app.clone());
    drop(rt::task::spawn_blocking(move || {
        let _ended = ended;
        let others = app.rules.iter().filter(|(id, other)| **id != callback.account && other.spec.slug == spec.slug);
        let others = others.map(|(id, other)| (id, other.account.as_ref()));
        let found = providers::examine(account.as_ref(), others, &callback, token.as_deref());
        app.signals.found(&callback.account, &found, callback.received_at);
        app.refusals.explain(number, found);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    #[test]
    fn a_flood_is_examined_so_often_in_a_minute_and_other_accounts_have_their_own() {
        let examiner = Examiner::default();
        let examined = |account: &str, at: i64| {
            let begun = examiner.begin(&id(account), Millis(at));
            if begun {
                examiner.end();
            }
            begun
        };
        let many = (0..1_000).filter(|n| examined("a", *n)).count();
        assert_eq!(many, EXAMINED_PER_MINUTE_MAX as usize);
        assert!(examined("b", 1_000) && examined("a", MINUTE) && examined("a", 0), "a minute later, or with a clock put back");
        assert_eq!(examiner.running.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn only_so_many_run_at_once() {
        let examiner = Examiner::default();
        let begun = (0..20).filter(|_| examiner.begin(&id("a"), Millis(0))).count();
        assert_eq!(begun, EXAMINED_AT_ONCE_MAX);
        examiner.end();
        assert!(examiner.begin(&id("a"), Millis(0)), "what could not run used nothing up");
    }
}
