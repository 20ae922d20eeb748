//! Files read here, and over a pipe by whoever serves it.

use std::io::{self, Cursor};

use super::*;

fn ask(name: &str, bytes: &[u8]) -> Ask {
    let bytes = bytes.len() as u64;
    Ask { name: name.to_owned(), bytes, known: None, text_bytes: 1024 * 1024, document_bytes: 1024 * 1024 }
}

fn read(name: &str, bytes: &[u8]) -> Document {
    Local::default().read(&ask(name, bytes), &mut &*bytes, &|| false).unwrap()
}

/// What the serving side answers to what the asking side sends, without a process between them.
fn served(name: &str, parts: &[&[u8]]) -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    // As long as its first part says; what comes besides has grown since.
    subprocess::frame::write_json(&mut input, &ask(name, parts[0])).unwrap();
    for part in parts {
        subprocess::frame::write(&mut input, part).unwrap();
    }
    let mut output = Vec::new();
    serve(Cursor::new(input), &mut output, &|_| None).map(|()| output)
}

#[test]
fn a_file_is_pieces_with_their_places() {
    let document = read("notes.md", b"# Garden\n\nRoses need water.\n");
    assert_eq!(document.kind, "text/markdown");
    let Content::Pieces(pieces) = document.content else { panic!("{document:?}") };
    assert_eq!(
        (pieces.len(), &pieces[0].trail[..], pieces[0].lines),
        (1, &["Garden".to_owned()][..], (1, 3))
    );
    assert_eq!(pieces[0].bytes, (0, 27));
}

#[test]
fn what_is_known_and_what_has_no_text_is_said() {
    let bytes = b"some words";
    let hash = read("a.txt", bytes).hash.unwrap();
    let known = Ask { known: Some(hash), ..ask("a.txt", bytes) };
    let same = Local::default().read(&known, &mut &bytes[..], &|| false).unwrap();
    assert_eq!((same.content, same.hash), (Content::Same, Some(hash)));
    for (name, bytes, why) in [
        ("a.png", &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], "a picture (PNG)"),
        ("b.txt", b"", "no text in it"),
        ("c.txt", b"  \n ", "no text in it"),
        ("d.txt", &vec![b'x'; 2 * 1024 * 1024], "longer than 1 MB"),
        ("e.pdf", b"%PDF-1.4 and no more", "damaged"),
    ] {
        let Content::Skipped(said) = read(name, bytes).content else { panic!("{name} was read") };
        assert!(said.starts_with(why), "{name}: {said}");
    }
}

#[test]
fn who_stops_gets_nothing() {
    let bytes = "word ".repeat(10_000);
    let stopped = Local::default().read(&ask("a.txt", bytes.as_bytes()), &mut bytes.as_bytes(), &|| true);
    assert!(matches!(stopped, Err(ReadError::Stopped)));
}

#[test]
fn a_server_reads_no_more_than_was_agreed() {
    let mut parts: Vec<&[u8]> = vec![b"a text"];
    let more = vec![b'x'; 700 * 1024];
    parts.extend([&more[..], &more[..]]);
    assert_eq!(served("a.txt", &parts).unwrap_err().to_string(), "more of a file than was agreed");
    assert!(served("a.txt", &[b"a text", b" and more", b""]).is_ok());
    assert_eq!(served("a.txt", &[b"a text"]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn a_program_that_is_not_there_is_no_files_fault() {
    let nowhere = Remote::new("/nowhere/llmbasedos-embed".into(), Vec::new());
    let refused = nowhere.read(&ask("a.txt", b"x"), &mut &b"x"[..], &|| false);
    assert!(matches!(refused, Err(ReadError::Program(_))), "{refused:?}");
    // Something else that answers nothing of ours costs its file, and says so.
    let other = Remote::new("/bin/false".into(), Vec::new());
    let skipped = other.read(&ask("a.txt", b"x"), &mut &b"x"[..], &|| false).unwrap();
    assert_eq!(skipped.content, Content::Skipped("damaged: its reader failed on it".to_owned()));
}

#[test]
fn who_is_confined_can_read_its_pipe_and_compute_and_nothing_else() {
    let (pipe, mut end) = io::pipe().unwrap();
    // A filter is its thread's alone, unless it is put on all of them.
    let confined = std::thread::spawn(move || {
        seccompiler::apply_filter(&confine::program().unwrap()).unwrap();
        let denied = |outcome: io::Result<()>| outcome.unwrap_err().raw_os_error() == Some(libc::EPERM);
        let open = denied(std::fs::File::open("/proc/self/maps").map(drop));
        let list = denied(std::fs::read_dir("/").map(drop));
        let delete = denied(std::fs::remove_file("/nowhere"));
        let connect = denied(std::net::TcpStream::connect("127.0.0.1:1").map(drop));
        let listen = denied(std::os::unix::net::UnixListener::bind("/tmp/never").map(drop));
        let start = denied(std::process::Command::new("/bin/true").spawn().map(drop));
        let computed = read("notes.md", "# Garden\n\nRoses need water.\n".repeat(1_000).as_bytes());
        let got = io::read_to_string(pipe).unwrap();
        (open && list && delete && connect && listen && start, got, computed)
    });
    io::Write::write_all(&mut end, b"through the pipe").unwrap();
    drop(end);
    let (all_denied, got, computed) = confined.join().unwrap();
    assert!(all_denied);
    assert_eq!(got, "through the pipe");
    assert!(matches!(computed.content, Content::Pieces(pieces) if pieces.len() > 10));
}
