//! The door: everything is behind [`baophat::cli`].

/// Many small pieces live and die across threads here; measured against the system's allocator in docs/bench.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    baophat::cli::main()
}
