//! The player's side against the providers' own verification and parsing, and a whole short demo.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::chance::Chance;
use super::script::{self, Action, Call, Step};
use super::story::STORIES;
use super::{DemoOptions, perform, setting};
use crate::config::Config;
use crate::domain::event::{Event, Parsed};
use crate::domain::failure::Lang;
use crate::domain::record::{Callback, Method};
use crate::domain::time::Millis;
use crate::providers;

const NOW: Millis = Millis(1_764_000_000_000);

fn config() -> Config {
    setting::config(Path::new("/nowhere"), "127.0.0.1:0", "demo0123456789ab", 1.0, Lang::En).unwrap()
}

/// What the edge makes of a call: the outcome of the verification, and of the parsing if it passes.
fn received(config: &Config, call: &Call) -> Result<Parsed, providers::Refusal> {
    let mut path = call.hook.path.split('/').skip(2);
    let (slug, account, token) = (path.next().unwrap(), path.next().unwrap(), path.next());
    let account = config.account(account).unwrap();
    assert_eq!(account.provider.slug, slug);
    let callback = Callback {
        account: account.id.clone(),
        method: if call.hook.body.is_some() { Method::Post } else { Method::Get },
        query: call.hook.query.clone(),
        content_type: None,
        headers: call.hook.headers.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
        body: call.hook.body.clone().unwrap_or_default().into_bytes(),
        source: "127.0.0.1".to_owned(),
        received_at: NOW,
    };
    let verified = providers::verify(account.account.as_ref(), callback, token)?;
    Ok(account.account.parse(&verified.into_inner().0))
}

fn calls(steps: &[Step]) -> impl Iterator<Item = &Call> {
    steps.iter().filter_map(|s| match &s.action {
        Action::Call(call) => Some(call.as_ref()),
        _ => None,
    })
}

#[test]
fn every_callback_of_every_story_is_accepted_by_its_provider_and_names_its_message() {
    let (config, mut chance) = (config(), Chance::new(1));
    for story in STORIES {
        for (_, fate) in story.fates {
            for _ in 0..20 {
                let steps = script::play(story, *fate, &mut chance, NOW, 1.0);
                assert!(!steps.is_empty(), "{fate:?}");
                for call in calls(&steps) {
                    let Parsed::Events(events) = received(&config, call).unwrap() else { panic!("{fate:?}: {call:?}") };
                    assert!(!events.is_empty(), "{fate:?}: {call:?}");
                    let known: BTreeSet<&str> = call.proves.iter().map(|(id, _)| id.as_str()).collect();
                    for event in &events {
                        if let Event::Message(event) = event {
                            assert!(known.contains(event.message_id.as_str()), "{fate:?}: {call:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn what_is_forged_is_refused_and_what_is_only_odd_is_not() {
    let (config, mut chance) = (config(), Chance::new(2));
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        for call in calls(&script::aside(&mut chance, NOW, 1.0)) {
            let outcome = received(&config, call);
            assert_eq!(outcome.is_ok(), call.status == 200, "{call:?}");
            seen.insert(match outcome {
                Err(refusal) => refusal.as_str(),
                Ok(Parsed::Ignored(_) | Parsed::Aside { .. }) => "ignored",
                Ok(Parsed::Unreadable(_)) => "unreadable",
                Ok(Parsed::Events(_)) => "events",
            });
        }
    }
    assert_eq!(seen, BTreeSet::from(["ignored", "mismatch", "missing", "unreadable"]));
}

#[test]
fn every_code_of_the_story_is_explained_but_the_one_that_nobody_knows() {
    let (config, mut chance) = (config(), Chance::new(3));
    let mut unexplained = BTreeSet::new();
    for story in STORIES {
        let spec = config.account(story.carrier.account()).unwrap().provider;
        for steps in (0..400).map(|_| script::message(&mut chance, NOW, 1.0)) {
            let answers = steps.iter().filter_map(|s| match &s.action {
                Action::Register { message, answers } if message["account"] == story.carrier.account() => Some((message, answers)),
                _ => None,
            });
            for (message, (_, answer)) in answers.flat_map(|(m, all)| all.iter().map(move |a| (m, a))) {
                let account = config.account(story.carrier.account()).unwrap();
                let kind = message["kind"].as_str();
                let answer = crate::domain::record::SendAnswer {
                    status: Some(answer.status).filter(|s| *s != 0),
                    body: answer.body.clone(),
                    duration_ms: None,
                    error: answer.error.map(str::to_owned),
                };
                let context = providers::AnswerContext { kind, recipient: None, received_at: NOW };
                if let crate::domain::event::AnswerOutcome::Refused { failure, .. } = account.account.read_answer(&answer, context).outcome
                    && providers::catalogue::catalogue().explain(spec, kind, &failure).is_none()
                {
                    unexplained.insert(failure.code.unwrap_or_default());
                }
            }
        }
    }
    unexplained.remove("-9127");
    assert!(unexplained.is_empty(), "{unexplained:?}");
}

#[test]
fn a_short_demo_ends_by_itself_and_loses_nothing() {
    for json in [false, true] {
        let options = DemoOptions {
            for_: Some(Duration::from_secs(if json { 1 } else { 2 })),
            speed: 5.0,
            listen: "127.0.0.1:0".to_owned(),
            json,
            lang: Lang::En,
            color: false,
        };
        let mut out = Vec::new();
        perform(&options, false, &mut out).unwrap_or_else(|e| panic!("{e}\n{}", String::from_utf8_lossy(&out)));
        let text = String::from_utf8(out).unwrap();
        if json {
            let summary: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&summary["check"]["lost"], &summary["check"]["unexpected"]), (&0.into(), &0.into()), "{text}");
            assert!(summary["check"]["acknowledged"].as_u64() > Some(0), "{text}");
        } else {
            assert!(text.contains("     0  lost"), "{text}");
        }
        assert!(!text.contains('\u{1b}'), "no colours were asked for");
    }
}
