//! `lsp`: the language server, over standard input and output.

use engine::Result;

use crate::backend::ProjectBackend;

/// Serve an editor over standard input and output
///
/// Editors start it; docs/editors.md shows how. Logs go to standard error.
#[derive(clap::Args)]
#[command(
    after_help = "Example, for Neovim:\n  vim.lsp.config('de-copilot', { cmd = { 'de-copilot', 'lsp' }, filetypes = { 'python' } })\n  vim.lsp.enable('de-copilot')"
)]
pub(crate) struct Arguments {
    /// What there is anyway; some clients say it
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(super) async fn run(_: Arguments) -> Result<u8> {
    let ended = server::serve(tokio::io::stdin(), tokio::io::stdout(), ProjectBackend::default()).await;
    // The thread that reads standard input cannot be interrupted, and the runtime would wait for it.
    std::process::exit(ended.exit_code().into())
}
