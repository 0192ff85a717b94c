//! The binary: reads the command line, runs it, says what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    deskbell::cli::main()
}
