//! What is put into the index, found in it, and gone from it.

use store::Store;

use super::row::{Counts, known_at};
use super::*;

struct World {
    _dir: tempfile::TempDir,
    store: Store,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        Self { _dir: dir, store }
    }

    fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&store::rusqlite::Connection) -> store::rusqlite::Result<T> + Send + 'static,
    ) -> T {
        self.store.write_blocking(change).unwrap()
    }

    fn put(&self, path: &str, texts: &[&str]) -> Outcome {
        let read = file(path, texts);
        self.change(move |db| put(db, &read, 1))
    }

    fn found(&self, query: &str) -> Vec<String> {
        let query = query.to_owned();
        self.change(move |db| {
            let Some(wanted) = wanted(db, &query, texts_known(db)?)? else { return Ok(Vec::new()) };
            let matched = matches(db, &wanted.expression, 10, &|_| true)?;
            assert!(matched.iter().all(|(_, score)| *score > 0.0), "{matched:?}");
            let texts: Vec<u64> = matched.into_iter().map(|(text, _)| text).collect();
            let mut found = Vec::new();
            hits(db, &texts, |_, hit| {
                found.push(hit.path);
                true
            })?;
            Ok(found)
        })
    }
}

fn file(path: &str, texts: &[&str]) -> Read {
    let mut at = 0;
    let pieces = texts.iter().map(|text| {
        let bytes = (at, at + text.len() as u64);
        at = bytes.1;
        let mut hash = [0; 32];
        hash[..text.len().min(32)].copy_from_slice(&text.as_bytes()[..text.len().min(32)]);
        Piece { hash, trail: "Notes".to_owned(), text: (*text).to_owned(), bytes, lines: (1, 2) }
    });
    let pieces = pieces.collect();
    Read {
        path: path.to_owned(),
        identity: (u64::MAX, 7),
        bytes: at,
        modified_ns: -5,
        hash: Some([1; 32]),
        kind: "text/plain".to_owned(),
        skipped: None,
        pieces,
    }
}

#[test]
fn a_file_is_found_by_its_words_until_it_says_something_else() {
    let world = World::new();
    let first = world.put("/a.txt", &["the cat sat", "on the mat"]);
    assert_eq!((first.texts.len(), first.gone_texts.len()), (2, 0));
    assert_eq!(world.found("CAT"), ["/a.txt"]);
    assert_eq!(world.found("cat\" OR zebra* NEAR("), ["/a.txt"], "a query has no operators");
    let second = world.put("/a.txt", &["the dog sat", "on the mat"]);
    assert_eq!(second.file, first.file);
    assert_eq!(second.gone_texts.len(), 1, "what stays is not made anew");
    assert_eq!(world.found("cat"), Vec::<String>::new());
    assert_eq!(
        world.found("notes dog"),
        ["/a.txt", "/a.txt"],
        "headings count too, and more words count more"
    );
}

#[test]
fn equal_texts_are_one_and_stand_in_every_file() {
    let world = World::new();
    let one = world.put("/a", &["same words"]);
    let other = world.put("/b", &["same words"]);
    assert_eq!(one.texts, other.texts);
    assert_eq!(world.found("same"), ["/a", "/b"]);
    let gone = world.change(|db| forget(db, "/a"));
    assert_eq!((gone.gone_files, gone.gone_texts), (vec![one.file.unwrap()], Vec::new()));
    assert_eq!(world.found("same"), ["/b"]);
    let gone = world.change(|db| forget(db, "/b"));
    assert_eq!(gone.gone_texts, one.texts);
    assert_eq!(world.change(|db| counts(db, "/")), Counts::default());
    let again = world.put("/c", &["same words"]);
    assert!(again.texts > one.texts, "an id is never used twice");
}

#[test]
fn words_of_many_scripts_are_words() {
    let world = World::new();
    world.put("/zh", &["我喜欢吃苹果"]);
    world.put("/de", &["Die Grüße kamen spät"]);
    world.put("/code", &["fn read_file(path: &str) -> Result"]);
    assert_eq!(world.found("苹果"), ["/zh"]);
    assert_eq!(world.found("grusse GRÜSSE grüße")[..1], ["/de"]);
    assert_eq!(world.found("read_file"), ["/code"]);
    assert_eq!(world.change(|db| wanted(db, " ?!* \" ", 3)), None);
}

#[test]
fn words_that_very_many_texts_have_are_left_out() {
    let world = World::new();
    let texts: Vec<String> =
        (0..2100).map(|n| format!("{n} the garden {}", if n == 3 { "gate" } else { "bench" })).collect();
    world.put("/many", &texts.iter().map(String::as_str).collect::<Vec<_>>());
    let look = |query: &'static str| world.change(move |db| wanted(db, query, texts_known(db)?)).unwrap();
    assert_eq!(look("the gate of the garden").expression, "\"gate\"");
    assert_eq!(look("the garden").expression, "\"the\" AND \"garden\"", "there is nothing else");
    world.put("/code", &["Error GW-1042 at the garden bench"]);
    assert_eq!(look("GW-1042 GW-1043").expression, "\"GW 1042\" OR \"GW\" OR \"1043\"");
    let gate = look("the gate");
    let weight = gate.weight;
    let found = world.change(move |db| matches(db, &gate.expression, 10, &|_| true));
    assert_eq!(found.len(), 1);
    assert!((0.5..2.0).contains(&(found[0].1 / weight)), "{found:?} of {weight}");
}

#[test]
fn places_come_in_the_order_of_texts_until_there_are_enough() {
    let world = World::new();
    let texts: Vec<u64> = ["one", "two", "three"]
        .iter()
        .flat_map(|text| world.put(&format!("/{text}"), &[text]).texts)
        .collect();
    world.put("/a", &["two"]);
    let asked = vec![texts[2], 999, texts[1], texts[0]];
    let seen = |most: usize| {
        let asked = asked.clone();
        world.change(move |db| {
            let mut seen = Vec::new();
            hits(db, &asked, |nth, hit| {
                seen.push((nth, hit.path));
                seen.len() < most
            })?;
            Ok(seen)
        })
    };
    let place = |nth: usize, path: &str| (nth, path.to_owned());
    let all = [place(0, "/three"), place(2, "/a"), place(2, "/two"), place(3, "/one")];
    assert_eq!(seen(9), all);
    assert_eq!(seen(2), all[..2]);
}

#[test]
fn what_is_known_below_a_folder_is_nothing_beside_it() {
    let world = World::new();
    for path in ["/docs", "/docs/a", "/docs/b/c", "/docs2/d", "/docs-old", "/e"] {
        world.put(path, &[path]);
    }
    let below = |path: &'static str| {
        world.change(move |db| {
            Ok(known_below(db, path)?.into_iter().map(|(known, _)| known.path).collect::<Vec<_>>())
        })
    };
    assert_eq!(below("/docs"), ["/docs", "/docs/a", "/docs/b/c"]);
    assert_eq!(below("/").len(), 6);
    assert_eq!(world.change(|db| counts(db, "/docs")).files, 3);
    let gone = world.change(|db| forget_below(db, "/docs", 2));
    assert_eq!(gone.gone_files.len(), 2);
    assert_eq!(below("/docs"), ["/docs/b/c"]);
    let known = world.change(|db| known_at(db, "/e")).unwrap();
    assert_eq!((known.identity, known.modified_ns, known.bytes), ((u64::MAX, 7), -5, 2));
    let id = known.id;
    assert!(world.change(move |db| moved(db, id, "/f")));
    assert!(!world.change(move |db| moved(db, id, "/docs2/d")), "what is there stays");
    world.change(move |db| touched(db, id, (1, 2), 3, 4, 5));
    let known = world.change(|db| known_at(db, "/f")).unwrap();
    assert_eq!((known.id, known.identity, known.bytes, known.modified_ns), (id, (1, 2), 3, 4));
}

#[test]
fn what_is_watched_below_what_is_watched_is_no_row() {
    let world = World::new();
    for (path, deep) in [("/a/b", true), ("/c", false), ("/a", true), ("/a/d", true), ("/c/e", false)] {
        world.change(move |db| watch(db, &Watched { path: path.to_owned(), deep }, 1));
    }
    let found = world.change(watched);
    let shown: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.deep)).collect();
    assert_eq!(shown, [("/a", true), ("/c", false), ("/c/e", false)]);
    for (path, expected) in
        [("/a/x/y", true), ("/a", true), ("/c/f", true), ("/c/g/h", false), ("/ab", false)]
    {
        assert_eq!(covers(&found, path), expected, "{path}");
    }
    assert_eq!(world.change(|db| unwatch(db, "/a/b")), 0, "what is above is watched on");
    assert_eq!(world.change(|db| unwatch(db, "/")), 3);
}

#[test]
fn vectors_are_of_a_model_and_of_texts_that_are_there() {
    let world = World::new();
    let texts = world.put("/a", &["one", "two"]).texts;
    let one = world.change(|db| model(db, "one", [1; 16], 2));
    let model = one.id;
    assert_eq!(world.change(model_of), Some(one));
    let (ids, mut all) = (texts.clone(), Vec::new());
    let wanted = world.change(move |db| super::texts(db, &ids));
    assert_eq!(
        wanted.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
        ["Notes\none", "Notes\ntwo"]
    );
    world.store.read_blocking(|db| all_texts(db, |text| all.push(text))).unwrap();
    assert_eq!(all, texts);
    let put = vec![(texts[0], vec![0.6, -0.8]), (999, vec![1.0, 0.0])];
    assert_eq!(world.change(move |db| put_vectors(db, model, &put)), [texts[0]]);
    assert_eq!(world.change(move |db| vectors(db, model, 0, 10)), [(texts[0], vec![0.6, -0.8])]);
    let newer = world.change(|db| super::model(db, "two", [2; 16], 3)).id;
    world.change(move |db| use_model(db, model, 1));
    assert_eq!(world.change(model_of).map(|model| model.name).as_deref(), Some("one"), "beside it");
    assert_eq!(world.change(move |db| vectors(db, newer, 0, 10)), Vec::new(), "a new model begins anew");
    world.change(move |db| use_model(db, newer, 2));
    assert_eq!(world.change(model_of).map(|model| model.name).as_deref(), Some("two"));
    world.change(|db| forget(db, "/a"));
    assert_eq!(world.change(move |db| vectors(db, model, 0, 10)), Vec::new(), "they go with their texts");
    let texts = world.put("/b", &["three", "four"]).texts;
    let put = texts.iter().map(|text| (*text, vec![1.0, 0.0])).collect::<Vec<_>>();
    world.change(move |db| put_vectors(db, model, &put));
    for gone in [1, 1, 0] {
        assert_eq!(world.change(move |db| forget_others(db, newer, 1)), gone);
    }
    assert_eq!(world.change(move |db| forget_others(db, newer, 1)), 0);
    assert_eq!(world.change(move |db| vectors(db, model, 0, 10)), Vec::new());
}
