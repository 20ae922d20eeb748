//! Makes a vector for every text that has none, and builds the parts of the index that make many quick to search.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use embedding::{EmbedError, Priority, Role, State};

use crate::db;
use crate::index::{Shared, now_ms};
use crate::keeping::breathe;
use crate::near::{self, Near};

/// Texts of one request and one commit: a second's work, which is what a crash may cost.
const BATCH: usize = 16;

/// Vectors of an earlier model that are forgotten in one transaction.
const FORGET_AT_ONCE: u32 = 2_000;

/// How long one request may wait for its turn and take.
const WITHIN: Duration = Duration::from_mins(5);

/// How long it is waited after a failure before the next try.
const PAUSE: Duration = Duration::from_secs(15);

/// Makes vectors for ever.
pub(crate) async fn vectorise(shared: Arc<Shared>) {
    loop {
        let told = shared.news.notified();
        let begun = Instant::now();
        match shared.some_vectors().await {
            Ok(0) => told.await,
            Ok(_) => breathe(begun.elapsed()).await,
            Err(trouble) => {
                shared.trouble(Some(trouble));
                // What is told meanwhile is seen then.
                let _ = tokio::time::timeout(PAUSE, told).await;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// Builds what is worth building, for ever, a part at a time.
pub(crate) async fn build(shared: Arc<Shared>, stop: Arc<AtomicBool>) {
    loop {
        let told = shared.news.notified();
        let built = match shared.making() {
            None => Ok(Ok(false)),
            Some(near) => {
                let stop = Arc::clone(&stop);
                // One core is left for those who search.
                let threads =
                    std::thread::available_parallelism().map_or(1, usize::from).saturating_sub(1).max(1);
                tokio::task::spawn_blocking(move || near.build(threads, &stop)).await
            }
        };
        match built {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => told.await,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a part of the index cannot be built; search is slower without it");
                tokio::time::sleep(PAUSE).await;
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

impl Shared {
    /// Makes vectors for some texts; how many.
    async fn some_vectors(self: &Arc<Self>) -> Result<usize, String> {
        self.earlier.rest(false);
        let wanting = self.wanting();
        if wanting.is_empty() {
            self.complete().await?;
            return Ok(0);
        }
        let (shared, asked) = (Arc::clone(self), wanting.clone());
        let texts =
            tokio::task::spawn_blocking(move || shared.store.read_blocking(|db| db::texts(db, &wanting)));
        let texts = texts.await.map_err(said)?.map_err(said)?;
        let (ids, texts): (Vec<u64>, Vec<String>) = texts.into_iter().unzip();
        // What was forgotten since has no text, and wants nothing.
        let gone: Vec<u64> = asked.into_iter().filter(|id| !ids.contains(id)).collect();
        if let Some(near) = self.making() {
            near.forget(&gone);
        }
        if ids.is_empty() {
            return Ok(gone.len());
        }
        let until = Instant::now() + WITHIN;
        let made = self.embedder.embed(Role::Passage, texts, Priority::Bulk, until).await;
        let made = made.map_err(|error| error.public())?;
        self.know_the_model().await?;
        let Some(near) = self.making() else { return Ok(0) };
        let vectors = ids.into_iter().zip(made).collect::<Vec<_>>();
        let kept = near.keep(vectors).await.map_err(said)?;
        self.counters.vectors.fetch_add(kept as u64, Ordering::Relaxed);
        self.trouble(None);
        self.news.notify_waiters();
        Ok(kept.max(1))
    }

    /// The vectors that are being made.
    fn making(&self) -> Option<Arc<Near>> {
        near::of(&self.next).or_else(|| near::of(&self.near))
    }

    fn wanting(&self) -> Vec<u64> {
        let one = || self.table().texts(|_| true).iter().take(1).collect();
        match self.making() {
            // The model was changed since, by its name: its first answer tells what it is.
            Some(near) if near.model.name != self.model && !self.asked.swap(true, Ordering::Relaxed) => one(),
            Some(near) => near.wanting(BATCH),
            // No model was ever used.
            None => one(),
        }
    }

    /// Sees to it that the vectors that are made are those of the model that is loaded.
    pub(crate) async fn know_the_model(self: &Arc<Self>) -> Result<(), String> {
        let _one_at_a_time = self.knowing.lock().await;
        let State::Loaded(facts) = self.embedder.status().state else { return Ok(()) };
        if let Some(near) = self.making().filter(|near| near.model.fingerprint == facts.fingerprint) {
            return if near.model.name == facts.model {
                Ok(())
            } else {
                self.rename(&near, facts.model).await
            };
        }
        let before = near::of(&self.near);
        if before.as_ref().is_some_and(|near| near.model.fingerprint == facts.fingerprint) {
            // It was changed, and changed back.
            self.next.store(None);
            return Ok(());
        }
        let dimensions = u32::try_from(facts.dimensions).map_err(said)?;
        let (name, fingerprint) = (facts.model.clone(), facts.fingerprint);
        let model =
            self.change(move |db| db::model(db, &name, fingerprint, dimensions)).await.map_err(said)?;
        // What answers by meaning does so until the next can.
        let answers = before.filter(|near| near.len() > 0 && self.earlier.is_there(&near.model));
        let is_beside = answers.is_some();
        tracing::info!(
            model = facts.model,
            runtime = facts.runtime,
            is_beside,
            "texts get vectors of this model"
        );
        let shared = Arc::clone(self);
        let open = move || {
            let place = if is_beside { &shared.next } else { &shared.near };
            shared.open_into(place, model)
        };
        tokio::task::spawn_blocking(open).await.map_err(said)?.map_err(said)?;
        if !is_beside {
            self.next.store(None);
            self.use_it().await?;
        }
        self.news.notify_waiters();
        Ok(())
    }

    /// The same model under another name, such as the path of its folder.
    async fn rename(self: &Arc<Self>, near: &Near, name: String) -> Result<(), String> {
        let (fingerprint, dimensions) = (near.model.fingerprint, near.model.dimensions);
        let model =
            self.change(move |db| db::model(db, &name, fingerprint, dimensions)).await.map_err(said)?;
        let (shared, is_next) = (Arc::clone(self), near::of(&self.next).is_some());
        let open = move || shared.open_into(if is_next { &shared.next } else { &shared.near }, model);
        tokio::task::spawn_blocking(open).await.map_err(said)?.map_err(said)
    }

    /// When every text has a vector of the next model, it is the one that is answered from.
    async fn complete(self: &Arc<Self>) -> Result<(), String> {
        let Some(next) = near::of(&self.next).filter(|next| next.wanted() == 0) else { return Ok(()) };
        self.give_up_the_earlier(next).await
    }

    /// Answers from the next model's vectors, as far as they are.
    pub(crate) async fn give_up_the_earlier(self: &Arc<Self>, next: Arc<Near>) -> Result<(), String> {
        self.near.store(Some(next));
        self.next.store(None);
        self.earlier.rest(true);
        self.use_it().await
    }

    /// Remembers which model is answered from, and forgets all others.
    async fn use_it(self: &Arc<Self>) -> Result<(), String> {
        let Some(near) = near::of(&self.near) else { return Ok(()) };
        let (model, now) = (near.model.id, now_ms());
        self.change(move |db| db::use_model(db, model, now)).await.map_err(said)?;
        tracing::info!(model = near.model.name, "texts are found by meaning with this model");
        while self.change(move |db| db::forget_others(db, model, FORGET_AT_ONCE)).await.map_err(said)? > 0 {}
        let shared = Arc::clone(self);
        let sweep = move || near::sweep(&shared.folder, &near.model);
        tokio::task::spawn_blocking(sweep).await.map_err(said)
    }

    /// The vector of what somebody looks for.
    pub(crate) async fn query_vector(
        self: &Arc<Self>,
        query: &str,
        until: Instant,
    ) -> Result<Vec<f32>, EmbedError> {
        let asked = vec![query.to_owned()];
        let mut made = self.embedder.embed(Role::Query, asked, Priority::Query, until).await?;
        made.pop().ok_or(EmbedError::Closed)
    }

    pub(crate) fn trouble(&self, why: Option<String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *trouble != why {
            if let Some(why) = &why {
                tracing::warn!(why, "no vectors are made; words are found all the same");
            }
            *trouble = why;
        }
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
