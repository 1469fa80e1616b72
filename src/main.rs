//! The door: everything is behind [`baophat::cli`].

fn main() -> std::process::ExitCode {
    baophat::cli::main()
}
