//! The door.
fn main() {
    let config = baophat::config::Config::load(std::env::args().nth(2).map(std::path::PathBuf::from).as_deref(), &baophat::config::Env::of_process());
    match config { Ok(c) => { if let Err(e) = baophat::app::serve(c) { eprintln!("{e}"); std::process::exit(3) } }, Err(e) => { eprintln!("{e}"); std::process::exit(2) } }
}
