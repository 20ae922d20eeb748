//! `llmbasedos token`: callers and their secrets. Works beside a running daemon, which sees the change within a
//! second.

use std::process::ExitCode;

use anyhow::Context as _;
use cluster_config::{Environment, Flags, Loaded};
use gateway::{NewToken, Tokens};
use jiff::{Span, Timestamp, Zoned};
use store::Store;

use super::{Usage, note, say};
use crate::app::open_store;
use crate::args::TokenCommand;
use crate::owner_token;

pub(crate) fn run(
    command: TokenCommand,
    flags: &Flags,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    let loaded = cluster_config::load(flags, environment)?;
    let store = || open_store(&loaded.settings);
    match command {
        TokenCommand::Show => show(&loaded),
        TokenCommand::Create { name, tier, allow, expires } => {
            let expires = expires.as_deref().map(instant).transpose()?;
            create(&loaded, &store()?, NewToken { name, tier, allow, expires })
        }
        TokenCommand::List => list(&store()?),
        TokenCommand::Revoke { name } => revoke(&store()?, &name),
    }
}

fn create(loaded: &Loaded, store: &Store, mut token: NewToken) -> anyhow::Result<ExitCode> {
    token.check().map_err(|error| Usage(error.to_string()))?;
    if let Some(tier) = &mut token.tier {
        tier.make_ascii_uppercase();
        if loaded.tiers.get(tier).is_none() {
            let known: Vec<&str> = loaded.tiers.iter().map(|(name, _)| name).collect();
            return Err(Usage(format!("no tier is called {tier}: there are {}", known.join(", "))).into());
        }
    }
    if token.expires.is_some_and(|end| end <= Timestamp::now()) {
        return Err(Usage("--expires is in the past".into()).into());
    }
    let name = token.name.clone();
    if store.read_blocking(|db| gateway::token_exists(db, &name))? {
        return Err(Usage(format!("a token '{name}' exists: choose another name, or revoke it first")).into());
    }
    let secret = gateway::secret();
    let hash = gateway::hash(&secret);
    let kept = token.clone();
    store.write_blocking(move |db| kept.insert(db, hash))?;
    say(&secret);
    note(&format!("This is the only time that the token of '{}' is shown.", token.name));
    Ok(ExitCode::SUCCESS)
}

fn list(store: &Store) -> anyhow::Result<ExitCode> {
    let tokens = store.read_blocking(Tokens::read)?;
    for token in tokens.by_name() {
        let allow = token.allow.as_ref().map_or_else(
            || "all of its tier".to_owned(),
            |allow| allow.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        );
        let expires = token.expires.map_or_else(|| "never".to_owned(), |end| format!("{end:.0}"));
        let tier = token.tier.as_deref().unwrap_or("licence");
        say(&format!("{:<24} tier {tier:<8} expires {expires:<22} allows {allow}", token.name));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(loaded: &Loaded) -> anyhow::Result<ExitCode> {
    let file = owner_token::find(loaded)?;
    let token = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    say(token.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn revoke(store: &Store, name: &str) -> anyhow::Result<ExitCode> {
    let asked = name.to_owned();
    if store.write_blocking(move |db| gateway::revoke(db, &asked))? {
        note(&format!("'{name}' is revoked."));
        return Ok(ExitCode::SUCCESS);
    }
    Err(Usage(format!("no token is called '{name}': `llmbasedos token list` shows all")).into())
}

/// A date, which is valid through its last second here, or a span from now.
fn instant(text: &str) -> anyhow::Result<Timestamp> {
    let wrong = || Usage(format!("--expires '{text}': write a date (2027-01-31) or a span (30d, 12h)"));
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let zone = jiff::tz::TimeZone::system();
        let next = date.tomorrow().map_err(|_| wrong())?;
        return Ok(next.to_zoned(zone).map_err(|_| wrong())?.timestamp());
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    Ok(Zoned::now().checked_add(span).map_err(|_| wrong())?.timestamp())
}
