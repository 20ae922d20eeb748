//! `llmbasedos licence`: what is in force, and signed licences of one's own.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cluster_config::{Environment, Flags};
use ed25519_dalek::{Signer as _, SigningKey};
use jiff::Timestamp;

use super::{Usage, note, say};
use crate::app::read_licence;
use crate::args::LicenceCommand;

pub(crate) fn run(
    command: LicenceCommand,
    flags: &Flags,
    environment: &Environment,
) -> anyhow::Result<ExitCode> {
    match command {
        LicenceCommand::Show => show(flags, environment),
        LicenceCommand::Keygen { file } => keygen(&file),
        LicenceCommand::Sign { key, tier, user, expires } => sign(&key, &tier, &user, &expires),
    }
}

fn show(flags: &Flags, environment: &Environment) -> anyhow::Result<ExitCode> {
    let loaded = cluster_config::load(flags, environment)?;
    let licence = read_licence(&loaded.settings.licence, &loaded.tiers).map_err(Usage)?;
    let now = Timestamp::now();
    say(&format!("file     {}", loaded.settings.licence.file.display()));
    say(&format!("tier     {}", licence.tier_at(now)));
    say(&format!("user     {}", licence.user));
    say(&format!("expires  {}", licence.expires.map_or("never".into(), |end| format!("{end:.0}"))));
    if let Some(warning) = &licence.warning {
        note(&format!("It counts as FREE: {warning}"));
    } else if licence.expired_at(now) {
        note("It counts as FREE: expired.");
    }
    Ok(ExitCode::SUCCESS)
}

fn keygen(file: &Path) -> anyhow::Result<ExitCode> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let key = SigningKey::from_bytes(&seed);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| writeln!(out, "{}", STANDARD.encode(seed)))
        .with_context(|| format!("cannot write {}", file.display()))?;
    say(&STANDARD.encode(key.verifying_key().to_bytes()));
    note("Set licence.public_key to this: from then on only licences signed with the private half count.");
    Ok(ExitCode::SUCCESS)
}

fn sign(key: &Path, tier: &str, user: &str, expires: &str) -> anyhow::Result<ExitCode> {
    if [tier, user, expires].iter().any(|part| part.is_empty() || part.contains([':', '\n'])) {
        return Err(Usage("tier, user and date must not be empty nor contain ':'".into()).into());
    }
    expires.parse::<jiff::civil::Date>().map_err(|_| Usage(format!("'{expires}' is not YYYY-MM-DD")))?;
    let text = std::fs::read_to_string(key).with_context(|| format!("cannot read {}", key.display()))?;
    let seed: [u8; 32] = STANDARD
        .decode(text.trim())
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| Usage(format!("{} is not a key that `licence keygen` made", key.display())))?;
    let signed = gateway::signed_text(tier, user, expires);
    let signature = SigningKey::from_bytes(&seed).sign(signed.as_bytes());
    say(&format!("{tier}:{user}:{expires}:{}", STANDARD.encode(signature.to_bytes())));
    Ok(ExitCode::SUCCESS)
}
