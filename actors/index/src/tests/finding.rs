//! What is found, by whom, and in which order.

use super::World;
use super::world::ask;
use crate::{Filter, Mode, Query, SearchError};

async fn some() -> World {
    let world = World::new().await;
    let more = |what: &str| format!("More is said of {what} here, as long as it takes. ").repeat(12);
    let (garden, kitchen) = (more("gardens"), more("kitchens"));
    world
        .file("/a.md", format!("# Garden\n\nRoses need water.\n{garden}\n\n# Kitchen\n\nBread needs flour and salt.\n{kitchen}\n"))
        .file("/b.txt", "The train to Berlin leaves at noon.")
        .file("/private/c.txt", "The key to the garden is under the stone.");
    world.current().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn words_and_meaning_find_the_piece_and_its_place() {
    let world = some().await;
    for mode in [Mode::Hybrid, Mode::Semantic, Mode::Keyword] {
        let answer = world.ask("kitchens bread flour salt", mode).await.unwrap();
        let hit = &answer.hits[0];
        assert_eq!(
            (hit.path.as_str(), hit.trail.as_slice()),
            ("/a.md", &["Kitchen".to_owned()][..]),
            "{mode:?}"
        );
        assert!(hit.snippet.contains("Bread needs flour"), "{mode:?}: {}", hit.snippet);
        let text = std::fs::read_to_string(world.host("/a.md")).unwrap();
        let bytes = usize::try_from(hit.bytes.0).unwrap()..usize::try_from(hit.bytes.1).unwrap();
        assert!(text[bytes].contains("Bread needs flour and salt."));
        assert!(hit.lines.0 <= 8 && hit.lines.1 == 9, "{:?}", hit.lines);
        assert!(hit.score > 0.0 && hit.score <= 1.0);
        assert_eq!(answer.without_meaning, None);
        assert_eq!(hit.semantic.is_some(), mode != Mode::Keyword);
        assert_eq!(hit.keyword.is_some(), mode != Mode::Semantic);
    }
    assert!(matches!(World::new().await.ask("x", Mode::Hybrid).await, Err(SearchError::Empty)));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_count_inside_the_search() {
    let world = some().await;
    for n in 0..40 {
        world.file(
            &format!("/many/{n:02}.txt"),
            format!("The garden number {n}, a garden of roses and stone."),
        );
    }
    world.current().await;
    let private = ["/private".to_owned()];
    let mut question = ask(Query::Text("garden"), Mode::Hybrid);
    question.filter.below = &private;
    let found = world.index.search(&question).await.unwrap();
    assert_eq!(found.hits.len(), 1, "forty better ones elsewhere do not crowd it out");
    assert_eq!(found.hits[0].path, "/private/c.txt");

    let stranger = |question| Filter { tier: "FREE", sees_all: false, ..question };
    let mut question = ask(Query::Text("key garden stone"), Mode::Hybrid);
    question.top_k = 100;
    question.filter = stranger(question.filter);
    let found = world.index.search(&question).await.unwrap();
    assert!(found.hits.len() > 30 && found.hits.iter().all(|hit| !hit.path.starts_with("/private")));

    let is_even = |path: &str| path.ends_with("4.txt");
    let mut question = ask(Query::Text("garden"), Mode::Semantic);
    question.filter.path = Some(&is_even);
    let found = world.index.search(&question).await.unwrap();
    assert_eq!(found.hits.len(), 4, "{found:?}");
    let kinds = ["text/markdown".to_owned()];
    let mut question = ask(Query::Text("garden"), Mode::Keyword);
    question.filter.kinds = &kinds;
    assert_eq!(world.index.search(&question).await.unwrap().hits.len(), 1);
    question.filter.modified_ns = (Some(i64::MAX), None);
    assert_eq!(world.index.search(&question).await.unwrap().hits, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_in_several_files_is_shown_where_it_may_be() {
    let world = World::new().await;
    world.file("/private/a.txt", "one secret sentence").file("/b.txt", "one secret sentence");
    world.current().await;
    let mut question = ask(Query::Text("secret"), Mode::Hybrid);
    question.filter.tier = "FREE";
    question.filter.sees_all = false;
    let found = world.index.search(&question).await.unwrap();
    assert_eq!(found.hits.iter().map(|hit| hit.path.as_str()).collect::<Vec<_>>(), ["/b.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_like_a_file_is_other_files() {
    let world = World::new().await;
    world
        .file("/a.txt", "roses and water in the garden")
        .file("/b.txt", "water for roses in a garden")
        .file("/c.txt", "the train to Berlin");
    world.current().await;
    let found = world.index.search(&ask(Query::Like("/a.txt"), Mode::Semantic)).await.unwrap();
    assert_eq!(found.hits[0].path, "/b.txt");
    assert!(found.hits.iter().all(|hit| hit.path != "/a.txt"));
    let missing = world.index.search(&ask(Query::Like("/nowhere"), Mode::Semantic)).await;
    assert!(matches!(missing, Err(SearchError::NotIndexed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_words_are_found_and_it_is_said() {
    let world = World::new().await;
    world.model.missing.store(true, std::sync::atomic::Ordering::SeqCst);
    world.file("/a.txt", "roses and water").file("/b.txt", "the train");
    world.current().await;
    let answer = world.ask("roses", Mode::Hybrid).await.unwrap();
    assert_eq!(answer.hits[0].path, "/a.txt");
    assert!(answer.without_meaning.is_some_and(|why| why.contains("make model")));
    let refused = world.ask("roses", Mode::Semantic).await;
    assert!(matches!(refused, Err(SearchError::NoMeaning(why)) if why.contains("make model")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rare_word_elsewhere_hides_no_common_one_here() {
    let world = World::new().await;
    for file in 0..4 {
        let part = |n| format!("# Part {n} of {file}\n\n{}\n\n", "garden ".repeat(120));
        world.file(&format!("/many/{file}.md"), (0..600).map(part).collect::<Vec<_>>().concat());
    }
    world.file("/elsewhere.txt", "a quokka").file("/here/a.txt", "the garden gate");
    world.current().await;
    assert!(world.index.status(&["/many"]).unwrap().texts >= 2_400, "more than are looked at for a query");
    let here = ["/here".to_owned()];
    let mut question = ask(Query::Text("quokka garden"), Mode::Keyword);
    question.filter.below = &here;
    let found = world.index.search(&question).await.unwrap();
    assert_eq!(found.hits.iter().map(|hit| hit.path.as_str()).collect::<Vec<_>>(), ["/here/a.txt"]);
}
