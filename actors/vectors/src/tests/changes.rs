//! Changes in any order, between any steps of a build, and over restarts: nothing is lost and nothing comes back.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::{Built, Plan, open};

#[derive(Debug, Clone)]
enum Step {
    /// New chunks, and new vectors for those that are there.
    Insert(BTreeSet<u64>),
    Delete(BTreeSet<u64>),
    Plan,
    Build,
    Install,
    /// A crash: what was planned and not installed is forgotten.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ids = || prop::collection::btree_set(0_u64..80, 1..25);
    let step = prop_oneof![
        4 => ids().prop_map(Step::Insert),
        2 => ids().prop_map(Step::Delete),
        2 => Just(Step::Plan),
        2 => Just(Step::Build),
        2 => Just(Step::Install),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 0..40)
}

/// The index in a folder, what it should hold, and a build under way.
struct World {
    folder: TempDir,
    index: Index,
    truth: Truth,
    plan: Option<Plan>,
    built: Option<Built>,
    /// Chunks get new ids, as an id means one vector for ever: the number of their generation, times 1000, is added.
    generation: u64,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let index = open(folder.path(), SHAPE, SMALL).expect("an empty folder").index;
        Self { folder, index, truth: Truth::default(), plan: None, built: None, generation: 0 }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Insert(ids) => {
                self.generation += 1;
                // Ids below 40 keep their vector over generations and are replaced by themselves.
                let id = |id: u64| if id < 40 { id } else { id + 1000 * self.generation };
                let chunks: Vec<_> = ids.into_iter().map(|chunk| (id(chunk), vector(id(chunk)))).collect();
                self.index.insert(&chunks).expect("good vectors");
                self.truth.0.extend(chunks);
            }
            Step::Delete(ids) => {
                let gone = |id: &u64| ids.contains(&(id % 1000));
                self.index.delete(&self.truth.0.keys().copied().filter(gone).collect());
                self.truth.0.retain(|id, _| !gone(id));
            }
            Step::Plan => self.plan = self.index.plan(),
            Step::Build => {
                if let Some(plan) = self.plan.take() {
                    self.built = Some(plan.build(1, &AtomicBool::new(false)).expect("it builds"));
                }
            }
            Step::Install => {
                if let Some(built) = self.built.take() {
                    // Stale when a plan was made before an earlier build was installed.
                    let _ = self.index.install(built);
                }
            }
            Step::Reopen => {
                (self.plan, self.built) = (None, None);
                let opened = open(self.folder.path(), SHAPE, SMALL).expect("the folder is there");
                assert!(opened.unusable.is_empty(), "{:?}", opened.unusable);
                self.index = opened.index;
                self.reconcile();
            }
        }
    }

    /// As the daemon does after opening.
    fn reconcile(&self) {
        let (there, true_ids) = (self.index.ids(), self.truth.0.keys().copied().collect::<RoaringTreemap>());
        self.index.delete(&(&there - &true_ids));
        let missing: Vec<_> = (&true_ids - &there).iter().map(|id| (id, vector(id))).collect();
        self.index.insert(&missing).expect("good vectors");
    }

    fn check(&self) {
        assert_eq!(self.index.ids(), self.truth.0.keys().copied().collect());
        assert_eq!(self.index.stats().chunks, self.truth.0.len());
        let query = Query { vector: &vector(self.generation), k: 7, allowed: None };
        assert_eq!(self.index.search(&query, &self.truth).expect("it is there"), self.truth.best(&query));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_order_of_steps_loses_anything(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check();
        }
        settle(&world.index);
        world.check();
    }

    #[test]
    fn a_vector_that_is_replaced_during_a_build_stays_replaced(
        sealed in 21_u64..60,
        replaced in prop::collection::btree_set(0_u64..60, 0..60),
        deleted in prop::collection::btree_set(0_u64..60, 0..20),
    ) {
        let index = Index::in_memory(SHAPE, SMALL).expect("a good shape");
        let mut truth = Truth((0..sealed).map(|id| (id, vector(id))).collect());
        index.insert(&truth.chunks()).expect("good vectors");
        let mut seals = 0;
        while let Some(plan) = index.plan() {
            let built = plan.build(1, &AtomicBool::new(false)).expect("it builds");
            if seals == 0 {
                let new: Vec<_> = replaced.iter().map(|id| (*id, vector(id + 500))).collect();
                index.insert(&new).expect("good vectors");
                truth.0.extend(new);
                index.delete(&deleted.iter().copied().collect());
                truth.0.retain(|id, _| !deleted.contains(id));
            }
            seals += 1;
            index.install(built).expect("nobody else builds");
            let found = Query { vector: &vector(777), k: 100, allowed: None };
            prop_assert_eq!(index.search(&found, &truth).expect("it is there"), truth.best(&found));
            // By its own vector too: one that was replaced in the truth alone would be far down the list.
            for (id, value) in &truth.0 {
                let itself = Query { vector: value, k: 1, allowed: None };
                prop_assert_eq!(index.search(&itself, &truth).expect("it is there")[0].id, *id);
            }
        }
    }
}

#[test]
fn searches_go_on_while_everything_changes() {
    let truth = Truth::clustered(12, 600);
    let limits = Limits { exact_max: 50, seal: 32, segment_max: 256, dead_percent: 20 };
    let index = Index::in_memory(SHAPE, limits).expect("a good shape");
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut searches = 0;
            // One more after the last change, so that there is one at all.
            while !done.swap(false, std::sync::atomic::Ordering::AcqRel) {
                let query = Query { vector: &vector(searches % 50), k: 10, allowed: None };
                let there = index.stats().chunks;
                let hits = index.search(&query, &truth).expect("it is there");
                assert!(hits.len() >= there.min(10) && hits.is_sorted_by(|a, b| a.score >= b.score));
                searches += 1;
            }
        });
        for chunks in truth.chunks().chunks(10) {
            index.insert(chunks).expect("good vectors");
            settle(&index);
        }
        done.store(true, std::sync::atomic::Ordering::Release);
        searcher.join().expect("every search has answered");
    });
    assert_eq!(index.stats().chunks, 600);
}
