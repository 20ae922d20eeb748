//! What is read, and what is refused.

use serde_json::json;

use super::*;

fn read(arguments: &[&str]) -> Result<(Option<Verb>, Options), Error> {
    Options::from_arguments(&arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
}

#[test]
fn the_originals_arguments_are_read() {
    let (verb, options) = read(&[
        "sync",
        "--max-size=10M",
        "--min-age",
        "7d",
        "--transfers",
        "8",
        "--include",
        "*.txt",
        "-v",
        "--checksum",
        "--max-delete=5",
        "--bwlimit=100k",
        "--progress",
    ])
    .unwrap();
    assert_eq!(verb, Some(Verb::Sync));
    let expected = Options {
        max_size: Some(10 << 20),
        min_age: Some(7 * 86_400),
        transfers: Some(8),
        include: vec!["*.txt".into()],
        checksum: true,
        max_delete: Some(5),
        bwlimit: Some(102_400),
        ..Options::default()
    };
    assert_eq!(options, expected);
    let arguments = options.arguments(Verb::Sync, None);
    assert_eq!(
        arguments[..4],
        ["- .llmbasedos-*", "- .llmbasedos-*/**", "+ *.txt", "- *"].map(|r| format!("--filter={r}"))
    );
    assert!(arguments.contains(&"--max-size=10485760B".to_owned()), "{arguments:?}");
    let (config, filter) = options.remote_control(Some("box:old"), Some(3));
    assert_eq!((&config["Transfers"], &config["MaxDelete"]), (&json!(8), &json!(3)));
    assert_eq!((&config["BackupDir"], &filter["MinAge"]), (&json!("box:old"), &json!("604800s")));
}

#[test]
fn what_is_not_on_the_list_is_refused() {
    for arguments in [
        &["--config=/tmp/x"][..],
        &["--config", "/tmp/x"],
        &["--password-command=id"],
        &["--rc"],
        &["--rc-addr=:1"],
        &["--metadata-mapper=id"],
        &["--files-from=/etc/passwd"],
        &["--filter-from=/etc/passwd"],
        &["--log-file=/x"],
        &["--include-from", "/etc/passwd"],
        &["--temp-dir=/"],
        &["--cache-dir=/"],
        &["--compare-dest=/etc"],
        &["--copy-dest=/etc"],
        &["--copy-links"],
        &["-L"],
        &["--links"],
        &["-l"],
        &["--local-no-check-updated"],
        &["--sftp-ssh=id"],
        &["--ca-cert=/x"],
        &["--client-key=/x"],
        &["--track-renames"],
        &["--"],
        &["-"],
        &["---checksum"],
        &["purge"],
        &["copyto"],
        &["rcd"],
        &["--checksum=maybe"],
        &["--transfers=x"],
        &["--transfers=-1"],
        &["--max-size=10X"],
        &["--max-size="],
        &["--min-age=soon"],
        &["--transfers"],
        &["copy", "/etc", "x:"],
        &["--max-size=99999999999999999999T"],
    ] {
        let error = read(arguments).expect_err(&format!("{arguments:?} must be refused"));
        assert!(error.message.len() < 1000 && error.data.is_some(), "{arguments:?}: {error:?}");
    }
    for options in [
        Options { filter: vec!["!".into()], ..Options::default() },
        Options { filter: vec!["+x".into()], ..Options::default() },
        Options { exclude: vec!["a\nb".into()], ..Options::default() },
        Options { suffix: Some("/../x".into()), ..Options::default() },
        Options { transfers: Some(33), ..Options::default() },
        Options { include: vec!["a".into(); 201], ..Options::default() },
    ] {
        assert!(options.check().is_err(), "{options:?}");
    }
}
