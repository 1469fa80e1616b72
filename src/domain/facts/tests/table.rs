//! Every state a message can stand in, and what every kind of fact makes of it.

use super::*;

const ROWS: [&str; 19] = [
    "nothing",
    "registered",
    "with_id",
    "queued",
    "unknown",
    "accepted",
    "sent",
    "0/0/1",
    "refused",
    "failed",
    "marked",
    "0/1/1",
    "1/1/2",
    "delivered",
    "delivered failed",
    "1/0/1",
    "1/1/1",
    "read",
    "read failed",
];
const COLUMNS: [&str; 14] = [
    "registered",
    "queued",
    "unknown",
    "accepted",
    "sent",
    "0/0/1",
    "refused",
    "failed",
    "marked",
    "0/1/1",
    "delivered",
    "reached",
    "read",
    "seen",
];

/// `!` is a conflict, `~` partial, `?` an unknown outcome. Rows: what was told before; columns: what is told then.
const TABLE: &str = "
                |registered |queued     |unknown    |accepted   |sent       |0/0/1      |refused    |failed     |marked     |0/1/1      |delivered  |reached    |read       |seen
nothing         |queued     |queued     |queued     |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |queued     |read       |queued
registered      |queued     |queued     |queued?    |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |queued     |read       |queued
with_id         |sent       |sent       |sent       |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |delivered  |read       |read
queued          |queued     |queued     |queued     |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |queued     |read       |queued
unknown         |queued?    |queued     |queued?    |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |queued?    |read       |queued?
accepted        |sent       |sent       |sent       |sent       |sent       |sent       |sent       |failed     |failed     |failed     |delivered  |delivered  |read       |read
sent            |sent       |sent       |sent       |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |delivered  |read       |read
0/0/1           |sent       |sent       |sent       |sent       |sent       |sent       |failed     |failed     |failed     |failed     |delivered  |sent       |read       |sent
refused         |failed     |failed     |failed     |sent       |failed     |failed     |failed     |failed     |failed     |failed     |delivered! |failed     |read!      |failed
failed          |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |delivered! |failed     |read!      |failed
marked          |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |delivered! |failed     |read!      |failed
0/1/1           |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |failed     |delivered! |failed     |read!      |failed
1/1/2           |delivered~ |delivered~ |delivered~ |delivered~ |delivered~ |delivered~ |delivered!~|delivered!~|delivered!~|delivered~ |delivered~ |delivered~ |read~      |delivered~
delivered       |delivered  |delivered  |delivered  |delivered  |delivered  |delivered  |delivered! |delivered! |delivered! |delivered! |delivered  |delivered  |read       |delivered
delivered failed|delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |read!      |delivered!
1/0/1           |delivered  |delivered  |delivered  |delivered  |delivered  |delivered  |delivered! |delivered! |delivered! |delivered! |delivered  |delivered  |read       |delivered
1/1/1           |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |delivered! |read!      |delivered!
read            |read       |read       |read       |read       |read       |read       |read!      |read!      |read!      |read!      |read       |read       |read       |read
read failed     |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!      |read!
";

fn row(name: &str, cells: impl Iterator<Item = String>) -> String {
    let mut line = format!("{name:<16}");
    for cell in cells {
        line.push_str(&format!("|{cell:<11}"));
    }
    line.trim_end().to_owned()
}

#[test]
fn every_state_goes_where_the_table_says_with_every_kind_of_fact() {
    let mut lines = vec![row("", COLUMNS.iter().map(|c| (*c).to_owned()))];
    for start in ROWS {
        let before: Vec<Told> = start.split(' ').map(word).collect();
        lines.push(row(
            start,
            COLUMNS.iter().map(|next| {
                let mut all = before.clone();
                all.push(word(next));
                shown(&World::of(&all).derived())
            }),
        ));
    }
    let table = lines.join("\n");
    assert_eq!(table, TABLE.trim_matches('\n'), "\n{table}\n");
}

#[test]
fn a_weaker_fact_never_takes_a_state_back() {
    for start in ROWS {
        let before: Vec<Told> = start.split(' ').map(word).collect();
        let stood = World::of(&before).derived();
        for next in COLUMNS {
            let mut all = before.clone();
            all.push(word(next));
            let stands = World::of(&all).derived();
            // The only fact that outweighs a failure without proving delivery: the sender tried again and was accepted.
            let tried_again = start == "refused" && next == "accepted";
            assert!(stands.state.strength() >= stood.state.strength() || tried_again, "{start} + {next}");
        }
    }
}

#[test]
fn scenarios_end_where_they_must_in_either_direction() {
    check_scenarios(
        "
        registered                                  -> queued
        registered unknown                          -> queued?
        registered unknown accepted                 -> sent
        registered unknown sent                     -> sent
        registered unknown refused                  -> failed
        registered unknown marked                   -> failed
        registered accepted                         -> sent
        with_id                                     -> sent
        sent delivered                              -> delivered
        sent delivered read                         -> read
        sent read                                   -> read
        read                                        -> read
        delivered queued sent                       -> delivered
        registered refused                          -> failed
        registered refused refused                  -> failed
        registered refused accepted                 -> sent
        registered refused accepted refused         -> sent
        registered refused accepted delivered       -> delivered
        registered refused accepted marked          -> failed
        registered refused delivered                -> delivered!
        registered refused sent                     -> failed
        registered accepted failed                  -> failed
        registered accepted failed read             -> read!
        registered marked                           -> failed
        registered marked sent                      -> failed
        registered marked sent delivered            -> delivered!
        registered refused marked delivered         -> delivered!
        registered reached seen                     -> queued
        registered unknown reached seen             -> queued?
        registered marked reached seen              -> failed
        registered accepted reached                 -> delivered
        registered accepted seen                    -> read
        sent failed reached seen                    -> failed
        sent failed delivered                       -> delivered!
        sent failed delivered seen                  -> read!
        sent marked reached                         -> delivered!
        sent marked seen                            -> read!
        sent refused seen                           -> failed
        sent refused accepted seen                  -> read
        queued 0/0/1                                -> sent
        queued sent 0/1/1                           -> failed
        0/1/1 refused accepted                      -> failed
        failed 1/0/1                                -> delivered!
        refused 1/0/1                               -> delivered!
        refused accepted 1/0/1                      -> delivered
        1/1/2                                       -> delivered~
        1/1/2 refused                               -> delivered!~
        ",
    );
}
