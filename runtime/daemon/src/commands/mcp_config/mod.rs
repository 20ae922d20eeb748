//! `llmbasedos mcp-config CLIENT`: what an MCP client's settings must say to reach this daemon, printed or merged
//! into its file.
//!
//! A wrong root key fails silently in every one of these clients, which is why this is a command and not a page of
//! documentation. No secret is ever written: over stdio the client's own user is known, and over HTTP the file
//! refers to a variable or has the client ask.

mod client;
mod merge;
mod place;
mod save;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::process::ExitCode;

use cluster_config::{Environment, Flags, Listen, Loaded};

pub(crate) use client::Client;
use client::{Door, Snippet};
use save::Saved;

use super::{Usage, note, say};
use crate::args::McpConfig;

/// With the longest of our tools' names behind it and a client's prefix before it, a name still fits into the 64
/// letters that hosts allow.
const NAME_MAX: usize = 32;

pub(crate) fn run(asked: &McpConfig, flags: &Flags, environment: &Environment) -> anyhow::Result<ExitCode> {
    check_name(&asked.name)?;
    let loaded = cluster_config::load(flags, environment)?;
    let snippet = client::snippet(asked.client, &asked.name, &door(asked, &loaded)?)?;
    if asked.write {
        write(asked, &snippet, environment)?;
    } else {
        say(merge::fresh(&snippet).map_err(Usage)?.trim_end());
        if let Some(file) = place::file(asked.client, environment) {
            note(&format!("It belongs into {}; --write puts it there.", file.display()));
        }
    }
    advise(asked, &snippet, &loaded.config_dir);
    Ok(ExitCode::SUCCESS)
}

fn check_name(name: &str) -> Result<(), Usage> {
    let fits = (1..=NAME_MAX).contains(&name.len());
    if fits && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
        return Ok(());
    }
    Err(Usage(format!("--name '{name}': write 1 to {NAME_MAX} letters, digits, '_' or '-'")))
}

/// How the client gets in. Stdio unless HTTP is asked for: it works in every client and needs no token in its file.
fn door(asked: &McpConfig, loaded: &Loaded) -> anyhow::Result<Door> {
    if asked.http {
        return Ok(Door::Http { url: url(&loaded.settings.listen)? });
    }
    let plain = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| Usage(format!("{}: a client's file takes no such path", path.display())))
    };
    Ok(Door::Stdio { program: plain(&std::env::current_exe()?)?, config_dir: plain(&loaded.config_dir)? })
}

/// Where a client on this machine finds what listens at `listen`.
fn url(listen: &Listen) -> Result<String, Usage> {
    if listen.port() == 0 {
        return Err(Usage(
            "listen has port 0, which is another one at each start: give --listen HOST:PORT".into(),
        ));
    }
    let host = match listen.host() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    Ok(format!("http://{host}:{}/mcp", listen.port()))
}

fn write(asked: &McpConfig, snippet: &Snippet, environment: &Environment) -> anyhow::Result<()> {
    let file = asked.file.clone().or_else(|| place::file(asked.client, environment));
    let file =
        file.ok_or_else(|| Usage("HOME is not set: say with --file which file is the client's".into()))?;
    match save::update(&file, |text| merge::into(text, snippet))? {
        Saved::Unchanged => note(&format!("{} says so already: nothing was changed.", file.display())),
        Saved::Written { backup: None } => note(&format!("{} was made.", file.display())),
        Saved::Written { backup: Some(backup) } => {
            note(&format!("{} was changed; as it was, it is {}.", file.display(), backup.display()));
        }
    }
    Ok(())
}

/// What the file cannot say.
fn advise(asked: &McpConfig, snippet: &Snippet, config_dir: &Path) {
    let token = config_dir.join("token");
    let token = token.display();
    match (asked.client, snippet.token) {
        (_, client::TokenFrom::User) => {}
        (_, client::TokenFrom::Variable) => {
            note(&format!("Start the client with LLMBDO_TOKEN set: export LLMBDO_TOKEN=\"$(cat {token})\""));
        }
        (_, client::TokenFrom::Prompt) => note(&format!("The client will ask for the token: cat {token}")),
        (_, client::TokenFrom::Nowhere) => note(&format!(
            "This client takes no reference to a token: give it the header `Authorization: Bearer …` where it \
             connects. The token: cat {token}"
        )),
    }
    if asked.client == Client::ClaudeCode && !asked.write {
        note(&format!(
            "For all projects instead of one: claude mcp add-json --scope user {} '{}'",
            snippet.name,
            snippet.entry.to_string().replace('\'', r"'\''")
        ));
    }
}
