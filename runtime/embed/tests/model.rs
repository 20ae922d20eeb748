//! The real model in its real process: what it says, what it weighs, and what becomes of damaged files and of a process
//! that is killed. `fetch/model` puts model and runtime outside the clone, once.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use embedding::{Embed, EmbedError, Load, Program, Role, Tokens};
use serde::Deserialize;

use crate::kit::{EVER, MODEL, ask, models, process_of, program, start};

mod kit;

/// A text, and its vector by the Python runtime on the same model (golden.py).
#[derive(Deserialize)]
struct Golden {
    text: String,
    vector: Vec<f32>,
}

/// A folder of models that is all links into the real one, to be damaged.
fn links() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for part in [MODEL, "onnxruntime"] {
        fs::create_dir(folder.path().join(part)).expect("a folder");
        for file in fs::read_dir(models().join(part)).expect("it is there") {
            let file = file.expect("a file");
            symlink(file.path(), folder.path().join(part).join(file.file_name())).expect("a link");
        }
    }
    folder
}

/// Puts other bytes in a file's place.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let file = folder.join(name);
    fs::remove_file(&file).expect("it is there");
    fs::write(&file, bytes).expect("there is room");
    file
}

fn loaded(program: &Program) -> Box<dyn Embed> {
    program.load().unwrap_or_else(|error| panic!("{error}"))
}

fn refused(program: &Program) -> EmbedError {
    match program.load() {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

fn one(model: &mut dyn Embed, text: &str) -> Vec<f32> {
    model.embed(Role::Passage, &[text.to_owned()]).expect("it embeds").remove(0)
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn agree(model: &mut dyn Embed) {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden.json")).expect("golden.py made it");
    assert_eq!((model.facts().dimensions, model.facts().tokens_max), (384, 256));
    for Golden { text, vector } in &golden {
        let ours = one(model, text);
        assert!(cosine(&ours, vector) >= 0.9999, "{text}: {}", cosine(&ours, vector));
        let length = ours.iter().map(|number| number * number).sum::<f32>();
        assert!((length - 1.0).abs() < 1e-4, "{length}");
    }
    // Nor does it matter in which company.
    let texts: Vec<String> = golden.iter().map(|golden| golden.text.clone()).collect();
    let together = model.embed(Role::Passage, &texts).expect("it embeds");
    for (vector, Golden { vector: alone, .. }) in together.iter().zip(&golden) {
        assert!(cosine(vector, alone) >= 0.9999);
    }
}

#[test]
fn vectors_are_those_of_the_python_runtime() {
    let mut model = loaded(&program(models()));
    assert!(model.facts().runtime.starts_with("ONNX Runtime 1."), "{}", model.facts().runtime);
    agree(&mut *model);
}

#[cfg(feature = "rten")]
#[test]
fn without_the_library_they_are_the_same() {
    let folder = links();
    fs::remove_dir_all(folder.path().join("onnxruntime")).expect("it is there");
    let mut model = loaded(&program(folder.path()));
    assert!(model.facts().runtime.starts_with("rten"));
    agree(&mut *model);
}

#[test]
fn what_is_related_is_near() {
    let mut model = loaded(&program(models()));
    let query = one(&mut *model, "How do I keep my tomatoes from rotting?");
    let near = one(&mut *model, "Blossom end rot in tomato plants is caused by uneven watering.");
    let far = one(&mut *model, "The quarterly report is due on Friday.");
    assert!(cosine(&query, &near) > cosine(&query, &far) + 0.3);
}

#[test]
fn tokens_are_counted_and_known_by_where_they_begin() {
    let mut model = loaded(&program(models()));
    let texts = ["Tomatoes über Tomatoes".to_owned(), String::new(), "word ".repeat(1_000)];
    assert_eq!(model.count(&texts).expect("it reads"), [3, 0, 1_000]);
    let tokens = Tokens::open(&program(models()).settings.places).expect("it is there");
    assert_eq!(tokens.begins(&texts[0]), Some(vec![0, 9, 15]));
    assert_eq!(tokens.begins(""), Some(vec![]));
    // And the limit for vectors is what it was.
    let (long, longer) = (one(&mut *model, &texts[2]), one(&mut *model, &"word ".repeat(2_000)));
    assert!(cosine(&long, &longer) > 0.9999);
}

#[test]
fn a_fingerprint_is_of_the_model_and_how_it_is_used() {
    let folder = links();
    let fingerprint = |folder: &Path| loaded(&program(folder)).facts().fingerprint;
    assert_eq!(fingerprint(models()), fingerprint(folder.path()));
    fs::remove_file(folder.path().join(MODEL).join("manifest.json")).expect("it is there");
    replace(&folder.path().join(MODEL), "sentence_bert_config.json", br#"{"max_seq_length": 128}"#);
    assert_ne!(fingerprint(models()), fingerprint(folder.path()));
}

#[test]
fn a_missing_file_is_named_without_starting_anything() {
    let library = (!cfg!(feature = "rten")).then_some("onnxruntime/libonnxruntime.so");
    for name in ["all-MiniLM-L6-v2/model.onnx", "all-MiniLM-L6-v2/tokenizer.json"].into_iter().chain(library)
    {
        let folder = links();
        let file = folder.path().join(name);
        fs::remove_file(&file).expect("it is there");
        let program = Program { path: "/nowhere".into(), ..program(folder.path()) };
        assert_eq!(program.look(), Err(EmbedError::NotInstalled { file: file.clone() }));
        assert_eq!(refused(&program), EmbedError::NotInstalled { file });
    }
}

#[test]
fn a_damaged_file_is_named() {
    for name in
        ["all-MiniLM-L6-v2/model.onnx", "all-MiniLM-L6-v2/tokenizer.json", "onnxruntime/libonnxruntime.so"]
    {
        let folder = links();
        let mut bytes = fs::read(models().join(name)).expect("it is there");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let file = replace(folder.path(), name, &bytes);
        let changed = EmbedError::Damaged { file: file.clone(), what: "its bytes have changed".into() };
        assert_eq!(refused(&program(folder.path())), changed);
        let whole = bytes.len();
        replace(folder.path(), name, &bytes[..1_000]);
        let short = EmbedError::Damaged { file, what: format!("1000 bytes instead of {whole}") };
        if !(cfg!(feature = "rten") && name.starts_with("onnxruntime")) {
            assert_eq!(program(folder.path()).look(), Err(short.clone()));
        }
        assert_eq!(refused(&program(folder.path())), short);
    }
}

#[test]
fn a_folder_without_a_manifest_is_checked_by_loading_it() {
    let folder = links();
    let of_model = folder.path().join(MODEL);
    fs::remove_file(of_model.join("manifest.json")).expect("it is there");
    loaded(&program(folder.path()));
    let bytes = fs::read(models().join(MODEL).join("model.onnx")).expect("it is there");
    for bytes in [&bytes[..40_000_000], b"no model", b""] {
        replace(&of_model, "model.onnx", bytes);
        let error = refused(&program(folder.path()));
        assert!(matches!(error, EmbedError::Model { .. }), "{error}");
    }
}

#[test]
fn a_library_that_is_none_is_an_error_whatever_it_is() {
    let folder = links();
    let of_runtime = folder.path().join("onnxruntime");
    let real = fs::read(models().join("onnxruntime/libonnxruntime.so")).expect("it is there");
    fs::remove_file(of_runtime.join("manifest.json")).expect("it is there");
    for bytes in [&b"no library"[..], b""] {
        let file = replace(&of_runtime, "libonnxruntime.so", bytes);
        let error = refused(&program(folder.path()));
        assert!(matches!(&error, EmbedError::Runtime { file: named, .. } if *named == file), "{error}");
    }
    // A beginning maps what is not there, and the kernel ends whoever reads that: not us.
    for length in [60_000, real.len() / 2] {
        let file = replace(&of_runtime, "libonnxruntime.so", &real[..length]);
        let error = refused(&program(folder.path())).to_string();
        assert!(error.contains(&file.display().to_string()) && error.contains("`make model`"), "{error}");
    }
}

#[test]
fn an_old_library_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (source, library) = (folder.path().join("old.c"), folder.path().join("libonnxruntime.so"));
    let old = r#"
        static const char *version(void) { return "1.23.2"; }
        static const void *api(unsigned wanted) { return 0; }
        static struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
        void *OrtGetApiBase(void) { return &base; }"#;
    fs::write(&source, old).expect("there is room");
    let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    assert!(made.expect("a C compiler, which SQLite needs as well").success());
    let mut program = program(models());
    program.settings.places.runtime = Some(library.clone());
    let EmbedError::Runtime { file, why } = refused(&program) else { panic!("another error") };
    assert_eq!(file, library);
    assert!(why.contains("1.23.2"), "{why}");
}

#[test]
fn a_program_that_is_none_of_ours_is_an_error() {
    let check = |script: &str, why: &str| {
        let program = Program {
            path: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            ..program(models())
        };
        let error = refused(&program).to_string();
        assert!(error.contains(why), "{script}: {error}");
    };
    check("exit 3", "exit status: 3");
    check("kill -SEGV $$", "signal: 11");
    // It goes on reading, so that it is what it says that ends it.
    check("echo Hello, world; cat >/dev/null", "something else");
    let nowhere = Program { path: "/nowhere".into(), ..program(models()) };
    assert!(refused(&nowhere).to_string().contains("start /nowhere"));
}

#[tokio::test]
async fn a_killed_process_is_one_error_and_another_process() {
    let (embedder, _tree) = start(program(models()), EVER).await;
    let before = ask(&embedder, "before").await.expect("it embeds");
    let process = process_of(&embedder);
    let killed = Command::new("kill").args(["-KILL", &process.to_string()]).status();
    assert!(killed.expect("kill is there").success());
    let error = ask(&embedder, "during").await.expect_err("its process is dead");
    assert!(error.to_string().contains("signal: 9"), "{error}");
    assert_eq!(ask(&embedder, "before").await.expect("it embeds"), before);
    assert_ne!(process_of(&embedder), process);
    assert_eq!((embedder.status().loads, embedder.status().crashes), (2, 1));
}
