//! Files good and bad, what is put into them, and the folder read again.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use protocol::mcp::{Prompt, PromptInfo, Rich};
use protocol::{Caller, Cancel, Code, Context, Error, Shape, Way};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::template::Template;
use crate::{Prompts, files, methods};

fn context() -> Context {
    Context {
        caller: Arc::new(Caller {
            name: "somebody".into(),
            tier: "FREE".into(),
            allow: None,
            way: Way::Internal,
            token: None,
            service: None,
            run: None,
        }),
        request_id: 1,
        deadline: Instant::now() + Duration::from_mins(1),
        cancel: Cancel::new(),
        shape: Shape::Named,
        inputs: None,
        connection: None,
    }
}

fn given<const N: usize>(arguments: [(&str, &str); N]) -> BTreeMap<String, String> {
    arguments.map(|(name, text)| (name.to_owned(), text.to_owned())).into()
}

/// The messages of a prompt, as `role: text`.
fn said(template: &Template, arguments: &BTreeMap<String, String>) -> Vec<String> {
    let Rich(reply) = template.get(&context(), arguments).unwrap();
    let messages = reply["messages"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    messages
        .map(|message| format!("{}: {}", text(&message["role"]), text(&message["content"]["text"])))
        .collect()
}

const TWO: &str = "---\ndescription: d\narguments: [{name: a, required: true}, {name: b}]\n---\n";

#[test]
fn good_files_are_read() {
    for (body, expected) in [
        ("Read {{a}} and {{ b }}.\n", vec!["user: Read A and B."]),
        ("\n\n  Indented {{a}}\n\nand {{b}}{{a}}\n\n", vec!["user:   Indented A\n\nand BA"]),
        ("{ {a} } {{ never closed\n}}", vec!["user: { {a} } {{ never closed\n}}"]),
        (
            "## user\nOne {{a}}\n## assistant\n\nTwo\n\n## user \nThree\n",
            vec!["user: One A", "assistant: Two", "user: Three"],
        ),
        ("Text first\n## user\nis a heading then\n", vec!["user: Text first\n## user\nis a heading then"]),
        ("---\n", vec!["user: ---"]),
    ] {
        let template = Template::parse("t", &format!("{TWO}{body}")).unwrap();
        assert_eq!(said(&template, &given([("a", "A"), ("b", "B")])), expected, "{body:?}");
    }
    let windows =
        Template::parse("t", "\u{feff}---\r\ntitle: T\r\ndescription: d\r\n---\r\nHi\r\nthere\r\n").unwrap();
    assert_eq!(said(&windows, &given([])), ["user: Hi\nthere"]);
    assert_eq!(windows.info().title.as_deref(), Some("T"));
    let absent = Template::parse("t", &format!("{TWO}[{{{{b}}}}]")).unwrap();
    assert_eq!(said(&absent, &given([("a", "A")])), ["user: []"]);
}

#[test]
fn bad_files_are_told_with_their_line() {
    for (text, line, expected) in [
        ("", 1, "begins with a line `---`"),
        ("Just text\n", 1, "begins with a line `---`"),
        ("---\ndescription: d\n", 1, "has no second `---`"),
        ("---\ntitle: T\n---\nHi", 2, "missing field `description`"),
        ("---\ndescription: '  '\n---\nHi", 1, "empty `description`"),
        ("---\ndescription: d\n\ncolour: red\n---\nHi", 4, "unknown field `colour`"),
        ("---\ndescription: d\narguments: [{name: a, need: true}]\n---\nHi", 3, "unknown field `need`"),
        ("---\ndescription: d\narguments: [{name: 'a b'}]\n---\nHi", 1, "an argument 'a b'"),
        ("---\ndescription: d\narguments: [{name: a}, {name: a}]\n---\nHi", 1, "two arguments 'a'"),
        ("---\ndescription: [\n---\nHi", 2, "invalid type"),
        ("---\ndescription: d\n---\n\n \n", 3, "empty message"),
        ("---\ndescription: d\n---\n## user\n\n## assistant\nx\n", 4, "empty message"),
        ("---\ndescription: d\n---\nOne\n\n{{who}}\n", 6, "{{who}}, which is no argument"),
        ("---\ndescription: d\narguments: [{name: a}]\n---\n## user\n\n{{a}}\n{{A}}\n", 8, "{{A}}"),
        ("---\ndescription: d\n---\n{{}}", 4, "{{}}, which is no argument"),
    ] {
        let mistake = Template::parse("t", text).unwrap_err();
        assert_eq!(mistake.line, Some(line), "{text:?}: {}", mistake.message);
        assert!(mistake.message.contains(expected), "{text:?}: {}", mistake.message);
    }
}

#[test]
fn shipped_prompts_are_good() {
    let found = files::all(None);
    assert_eq!(found.complaints, [] as [String; 0]);
    assert_eq!(found.prompts.keys().collect::<Vec<_>>(), ["find-and-read", "summarize-folder", "tidy-notes"]);
    for prompt in found.prompts.values() {
        let arguments = prompt.info().arguments;
        let all = arguments.iter().map(|one| (one.name.clone(), format!("<{}>", one.name))).collect();
        let text = said(prompt, &all).concat();
        assert!(arguments.iter().all(|one| text.contains(&format!("<{}>", one.name))), "{text}");
    }
}

#[test]
fn a_bad_file_hides_no_good_one() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.md", b"---\ndescription: d\n---\nHi\n");
    write("bad.md", b"---\ndescription: d\n---\n{{x}}\n");
    write("binary.md", b"---\n\xff\n");
    write("large.md", &vec![b'x'; 65 * 1024]);
    write("a b.md", b"---\ndescription: d\n---\nHi\n");
    write(".hidden.md", b"no prompt");
    write("README.txt", b"no prompt");
    write("tidy-notes.md", b"---\ndescription: mine\n---\nHi\n");
    std::fs::create_dir(folder.path().join("folder.md")).unwrap();
    let found = files::all(Some(folder.path()));
    let names: Vec<_> = found.prompts.keys().map(String::as_str).collect();
    assert_eq!(names, ["find-and-read", "good", "summarize-folder", "tidy-notes"]);
    assert_eq!(found.prompts["tidy-notes"].info().description, "mine");
    let complaints = found.complaints.join("\n").replace(folder.path().to_str().unwrap(), "DIR");
    for expected in [
        "DIR/a b.md: is named by what no caller can type",
        "DIR/bad.md:4: has {{x}}",
        "DIR/binary.md:2: is not UTF-8",
        "DIR/folder.md: is no file",
        "DIR/large.md: is larger than 65536 bytes",
    ] {
        assert!(complaints.contains(expected), "{expected}\n{complaints}");
    }
    assert_eq!(found.complaints.len(), 5, "{complaints}");
    assert!(files::all(Some(Path::new("/nowhere/at/all"))).complaints.is_empty());
}

#[test]
fn a_prompt_does_not_grow_without_bound() {
    let body = "{{a}}".repeat(1000);
    let template = Template::parse("t", &format!("{TWO}{body}")).unwrap();
    let error = template.get(&context(), &given([("a", &"x".repeat(10_000))])).unwrap_err();
    assert_eq!(error.code, Code::TooLarge);
}

proptest! {
    #[test]
    fn what_is_put_in_is_never_read_again(a in ".*", b in ".*") {
        let (a, b) = (format!("{a}{{{{b}}}}"), format!("{{{{a}}}}{b}"));
        let template = Template::parse("t", &format!("{TWO}<{{{{a}}}}|{{{{b}}}}|{{{{a}}}}>")).unwrap();
        let expected = format!("user: <{a}|{b}|{a}>");
        prop_assert_eq!(said(&template, &given([("a", &a), ("b", &b)])), [expected]);
    }

    #[test]
    fn no_text_breaks_the_parser(text in "(---\n)?(description: d\n|arguments: .*\n|.*\n){0,3}(---\n)?(.*\n|## user\n){0,4}") {
        let lines = text.lines().count();
        if let Err(mistake) = Template::parse("t", &text) {
            prop_assert!(mistake.line.is_some_and(|line| line <= lines.max(1)), "{}", mistake.message);
        }
    }
}

async fn call(prompts: &Prompts, method: &str, params: Value) -> Result<Value, Error> {
    let entry = methods(prompts).into_iter().find(|entry| entry.name == method).unwrap();
    let params = RawValue::from_string(params.to_string()).unwrap();
    let payload = entry.invoke(context(), Some(params)).await?;
    Ok(serde_json::from_str(payload.as_str()).unwrap())
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_named() {
    let prompts = Prompts::open(None);
    for (params, expected) in [
        (json!(["nothing"]), "no prompt 'nothing'"),
        (json!({ "name": "tidy-notes" }), "needs 'path'"),
        (
            json!({ "name": "tidy-notes", "arguments": { "path": "/", "colour": "red" } }),
            "no argument 'colour'",
        ),
        (json!({ "name": "tidy-notes", "arguments": { "path": 5 } }), "path"),
    ] {
        let error = call(&prompts, "mcp.prompts.get", params.clone()).await.unwrap_err();
        assert_eq!(error.code, Code::InvalidParams, "{params}");
        assert!(error.message.contains(expected), "{params}: {error}");
    }
    let reply = call(&prompts, "mcp.prompts.get", json!(["tidy-notes", { "path": "/n" }])).await.unwrap();
    assert_eq!(reply["messages"][0]["role"], "user");
}

struct Fixed;

impl Prompt for Fixed {
    fn info(&self) -> PromptInfo {
        PromptInfo { name: "fixed".into(), title: None, description: "d".into(), arguments: Vec::new() }
    }

    fn get(&self, _: &Context, _: &BTreeMap<String, String>) -> Result<Rich, Error> {
        Ok(Rich(json!({ "messages": [] })))
    }
}

#[tokio::test]
async fn a_change_is_told_once_and_only_when_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let prompts = Prompts::open(Some(folder.path().to_owned()));
    let names = async || {
        let listed = call(&prompts, "mcp.prompts.list", json!({})).await.unwrap();
        let listed = listed["prompts"].as_array().unwrap().iter();
        listed.map(|prompt| prompt["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let told = async |changed| tokio::time::timeout(Duration::from_millis(20), changed).await.is_ok();
    let changed = prompts.changed();
    prompts.reload();
    prompts.remove("fixed");
    assert!(!told(changed).await);

    let changed = prompts.changed();
    prompts.add(Arc::new(Fixed));
    assert!(told(changed).await && names().await.contains(&"fixed".to_owned()));

    let changed = prompts.changed();
    std::fs::write(folder.path().join("new.md"), "---\ndescription: d\n---\nHi\n").unwrap();
    prompts.reload();
    assert!(told(changed).await);
    assert_eq!(names().await, ["find-and-read", "fixed", "new", "summarize-folder", "tidy-notes"]);

    prompts.remove("fixed");
    assert!(!names().await.contains(&"fixed".to_owned()));
}
