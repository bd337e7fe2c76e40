//! The `countersign` binary.

/// Values are made by one thread and dropped by another all day: the system's allocator was a quarter of the work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    countersign::cli::run()
}
