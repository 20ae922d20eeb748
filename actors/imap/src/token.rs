//! Access tokens: got for the refresh token (RFC 6749, section 6), and kept until shortly before they expire.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cluster_config::Secret;
use cluster_config::mail::Oauth;
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::{Error, clean};

/// What is read of an answer. Tokens are some kilobytes at most.
const ANSWER_MAX: usize = 64 * 1024;
/// A token is not used in its last minute: what is asked with it takes time, and clocks differ.
const MARGIN: Duration = Duration::from_mins(1);
/// How long a token is good for that does not say so.
const GOOD_FOR: Duration = Duration::from_mins(5);

/// Where a newer refresh token is kept than the settings have: a server that rotates them takes the older one no more.
/// Both may wait for the disk.
pub trait KeepsToken: std::fmt::Debug + Send + Sync {
    /// The one that was kept last.
    fn kept(&self) -> Option<Secret>;

    /// Keeps one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn keep(&self, token: &Secret) -> std::io::Result<()>;
}

/// The tokens of one account.
#[derive(Debug)]
pub(crate) struct Tokens {
    oauth: Oauth,
    state: Mutex<State>,
    keeper: OnceLock<Arc<dyn KeepsToken>>,
}

#[derive(Debug, Default)]
struct State {
    /// Made at the first use.
    http: Option<reqwest::Client>,
    /// The token, and until when it is used.
    access: Option<(Secret, Instant)>,
    /// A newer refresh token than the one of the settings, where the server rotates them.
    refresh: Option<Secret>,
    /// Whether what was kept has been looked for.
    looked: bool,
}

/// What a token endpoint answers: a token, or what is wrong.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Answer {
    access_token: Option<Secret>,
    expires_in: Option<f64>,
    refresh_token: Option<Secret>,
    error: String,
    error_description: String,
}

impl Tokens {
    pub(crate) fn new(oauth: Oauth) -> Self {
        Self { oauth, state: Mutex::default(), keeper: OnceLock::new() }
    }

    /// Where newer refresh tokens are kept, if not only in memory.
    pub(crate) fn kept_by(&self, keeper: Arc<dyn KeepsToken>) {
        let _ = self.keeper.set(keeper);
    }

    /// A token that is good for another minute at least. Several who ask at once wait for one request.
    pub(crate) async fn access(&self) -> Result<Secret, Error> {
        let mut state = self.state.lock().await;
        if let Some((token, until)) = &state.access
            && *until > Instant::now()
        {
            return Ok(token.clone());
        }
        state.access = None;
        if !std::mem::replace(&mut state.looked, true)
            && let Some(keeper) = self.keeper.get().cloned()
        {
            state.refresh = tokio::task::spawn_blocking(move || keeper.kept()).await.ok().flatten();
        }
        let answer = match self.ask(&mut state).await {
            // The settings' own may have been made anew since the other was kept.
            Err(Error::Authentication { .. }) if state.refresh.take().is_some() => {
                self.ask(&mut state).await?
            }
            answer => answer?,
        };
        // Before it is used: a token that is lost with us locks its owner out.
        if let Some(refresh) = answer.refresh_token {
            self.keep(&refresh).await;
            state.refresh = Some(refresh);
        }
        let token = answer.access_token.ok_or_else(|| self.failed("its answer has no access_token in it"))?;
        let good_for = answer.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let good_for = good_for.unwrap_or(GOOD_FOR).saturating_sub(MARGIN).min(Duration::from_hours(24));
        state.access = Some((token.clone(), Instant::now() + good_for));
        Ok(token)
    }

    async fn keep(&self, token: &Secret) {
        let Some(keeper) = self.keeper.get().cloned() else { return };
        let token = token.clone();
        let kept = tokio::task::spawn_blocking(move || keeper.keep(&token)).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "a newer refresh token cannot be kept: after a restart its owner may have to agree again");
        }
    }

    /// Forgets the token: the server did not take it.
    pub(crate) async fn forget(&self) {
        self.state.lock().await.access = None;
    }

    async fn ask(&self, state: &mut State) -> Result<Answer, Error> {
        let http = match &state.http {
            Some(http) => http.clone(),
            None => state.http.insert(self.client()?).clone(),
        };
        let refresh = state.refresh.as_ref().or(self.oauth.refresh_token.as_ref());
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &self.oauth.client_id),
            ("refresh_token", refresh.map_or("", Secret::expose)),
        ];
        if let Some(secret) = &self.oauth.client_secret {
            fields.push(("client_secret", secret.expose()));
        }
        if !self.oauth.scope.is_empty() {
            fields.push(("scope", &self.oauth.scope));
        }
        // The one way to write a form without another crate: as the query of a URL.
        let form = reqwest::Url::parse_with_params("https://form.invalid/", fields);
        let form = form.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default();
        let sent = http
            .post(&self.oauth.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await;
        let mut response = sent.map_err(|error| self.failed(&root(&error)))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| self.failed(&root(&error)))? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_MAX {
                return Err(self.failed("its answer is longer than any token is"));
            }
        }
        let answer: Answer = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(answer);
        }
        let said = format!("{} {}", answer.error, answer.error_description);
        match answer.error.as_str() {
            "invalid_grant" | "invalid_client" | "unauthorized_client" => {
                Err(Error::Authentication { said: clean(&said) })
            }
            _ => Err(self.failed(&format!("it answered with status {} {said}", status.as_u16()))),
        }
    }

    fn client(&self) -> Result<reqwest::Client, Error> {
        // Whoever would send us elsewhere would be sent the refresh token.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("llmbasedos/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map_err(|error| self.failed(&root(&error)))
    }

    fn failed(&self, why: &str) -> Error {
        let server = reqwest::Url::parse(&self.oauth.token_endpoint);
        let server = server.ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        Error::Unreachable { server, why: clean(why), retry_after: Duration::ZERO }
    }
}

/// The innermost cause: the text of the others has the URL in it.
fn root(error: &reqwest::Error) -> String {
    std::iter::successors(std::error::Error::source(error), |cause| cause.source())
        .last()
        .map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}
