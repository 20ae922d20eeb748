//! Files read by the real program in its own process: what it gives, what it costs, and what a file that ends it costs.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use reading::{Ask, Content, Document, ReadError, Reader as _, Remote};
use rustix::process::{Pid, Signal, kill_process};

use crate::kit::{MODEL, models};

#[allow(dead_code, reason = "shared with the tests of the model")]
mod kit;

/// What a test needs of the machine is there.
const WHOLE: &str = "it works";

fn remote(models: &Path) -> Remote {
    let arguments: [OsString; 3] = ["read".into(), models.into(), MODEL.into()];
    Remote::new(env!("CARGO_BIN_EXE_llmbasedos-embed").into(), arguments.into())
}

fn ask(name: &str, bytes: usize) -> Ask {
    let (text_bytes, document_bytes) = (16 * 1024 * 1024, 64 * 1024 * 1024);
    Ask { name: name.to_owned(), bytes: bytes as u64, known: None, text_bytes, document_bytes }
}

fn read(remote: &Remote, name: &str, bytes: &[u8]) -> Document {
    remote.read(&ask(name, bytes.len()), &mut &*bytes, &|| false).expect(WHOLE)
}

fn pieces(document: Document) -> Vec<reading::Piece> {
    match document.content {
        Content::Pieces(pieces) => pieces,
        other => panic!("{other:?}"),
    }
}

/// A field of /proc/PID/status.
fn status(process: u32, field: &str) -> String {
    let all = fs::read_to_string(format!("/proc/{process}/status")).expect(WHOLE);
    all.lines()
        .find_map(|line| line.strip_prefix(field))
        .expect(WHOLE)
        .trim_start_matches(':')
        .trim()
        .to_owned()
}

#[test]
fn pieces_are_as_long_as_the_models_own_tokenizer_says() {
    let text = "Donaudampfschifffahrtsgesellschaft ".repeat(200);
    let counted = pieces(read(&remote(models()), "a.txt", text.as_bytes()));
    let guessed = pieces(read(&remote(Path::new("/nowhere")), "a.txt", text.as_bytes()));
    // The word is thirteen tokens, not nine as its letters are worth.
    assert!(counted.len() > guessed.len(), "{} {}", counted.len(), guessed.len());
}

#[test]
fn one_process_reads_many_files_confined_and_is_given_back() {
    let remote = remote(models());
    assert_eq!(remote.process(), None, "none before it is wanted");
    for n in 0..100 {
        let text = format!("# Number {n}\n\nsome words");
        assert_eq!(pieces(read(&remote, "a.md", text.as_bytes()))[0].trail, [format!("Number {n}")]);
    }
    let process = remote.process().expect(WHOLE);
    assert_eq!((status(process, "Seccomp"), status(process, "NoNewPrivs")), ("2".to_owned(), "1".to_owned()));
    let environment = fs::read_to_string(format!("/proc/{process}/environ")).expect(WHOLE);
    assert!(environment.split('\0').all(|one| one.is_empty() || one.starts_with("MALLOC_")), "{environment}");
    remote.rest();
    assert!(!Path::new(&format!("/proc/{process}")).exists());
    assert_eq!(pieces(read(&remote, "a.txt", b"again")).len(), 1);
}

#[test]
fn a_long_text_comes_whole_in_many_frames() {
    let text: String =
        (0..60_000).fold(String::new(), |text, n| text + &format!("Sentence number {n} of a long text.\n\n"));
    let pieces = pieces(read(&remote(models()), "long.txt", text.as_bytes()));
    assert!(pieces.len() > 1_000, "{}", pieces.len());
    let mut at = 0;
    for piece in &pieces {
        let (first, end) =
            (usize::try_from(piece.bytes.0).expect(WHOLE), usize::try_from(piece.bytes.1).expect(WHOLE));
        assert_eq!(piece.text, text[first..end]);
        assert!(text[at..first.max(at)].trim().is_empty(), "nothing is left out before {first}");
        at = end;
    }
    assert!(text[at..].trim().is_empty());
}

/// A file whose reader is killed while it is read.
struct Killing {
    process: i32,
    left: usize,
}

impl io::Read for Killing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left < 1_000_000 {
            let process = Pid::from_raw(self.process).expect(WHOLE);
            // It is dead after the first time, and a zombie until its handle has seen it.
            kill_process(process, Signal::KILL)?;
        }
        let count = into.len().min(self.left);
        into[..count].fill(b'x');
        self.left -= count;
        Ok(count)
    }
}

#[test]
fn a_reader_that_ends_costs_the_file_that_it_had() {
    let remote = remote(models());
    assert_eq!(pieces(read(&remote, "a.txt", b"words")).len(), 1);
    let process = remote.process().expect(WHOLE).cast_signed();
    let mut killing = Killing { process, left: 3_000_000 };
    let document = remote.read(&ask("b.txt", killing.left), &mut killing, &|| false).expect(WHOLE);
    assert_eq!(document.content, Content::Skipped("damaged: its reader failed on it".to_owned()));
    assert_eq!(pieces(read(&remote, "c.txt", b"words")).len(), 1);
    assert_ne!(remote.process().expect(WHOLE).cast_signed(), process);
}

#[test]
fn a_bomb_is_refused_in_the_memory_that_a_document_may_have() {
    let remote = remote(models());
    let bomb = bomb(40, 32 * 1024 * 1024);
    assert!(bomb.len() < 2 * 1024 * 1024, "{}", bomb.len());
    match read(&remote, "bomb.pdf", &bomb).content {
        Content::Skipped(why) => assert_eq!(why, "unpacks to more than 128 MB"),
        Content::Pieces(_) | Content::Same => panic!("it was read"),
    }
    let peak = status(remote.process().expect(WHOLE), "VmHWM");
    let kilobytes: u64 = peak.trim_end_matches(" kB").parse().expect(WHOLE);
    assert!(kilobytes < 400 * 1024, "{peak}");
}

/// A PDF of so many pages that unpack to so many bytes each.
fn bomb(pages: usize, bytes: usize) -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![b' '; bytes]).expect(WHOLE);
    let packed = packed.finish().expect(WHOLE);
    let mut pdf = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n".to_vec();
    let kids: String = (0..pages).fold(String::new(), |kids, page| kids + &format!("{} 0 R ", 3 + 2 * page));
    pdf.extend(format!("2 0 obj\n<< /Type /Pages /Kids [{kids}] /Count {pages} >>\nendobj\n").bytes());
    for page in 0..pages {
        let (object, content) = (3 + 2 * page, 4 + 2 * page);
        pdf.extend(
            format!("{object} 0 obj\n<< /Type /Page /Parent 2 0 R /Contents {content} 0 R >>\nendobj\n")
                .bytes(),
        );
        let length = packed.len();
        pdf.extend(format!("{content} 0 obj\n<< /Filter /FlateDecode /Length {length} >>\nstream\n").bytes());
        pdf.extend(&packed);
        pdf.extend(b"\nendstream\nendobj\n");
    }
    // Without a table of places, which readers then make for themselves.
    pdf.extend(b"trailer\n<< /Root 1 0 R >>\n%%EOF\n");
    pdf
}

#[test]
fn a_file_that_nobody_wants_ends_nothing_else() {
    let remote = remote(models());
    let text = "word ".repeat(1_000_000);
    let stopped = remote.read(&ask("a.txt", text.len()), &mut text.as_bytes(), &|| true);
    assert!(matches!(stopped, Err(ReadError::Stopped)), "{stopped:?}");
    assert_eq!(pieces(read(&remote, "b.txt", b"words")).len(), 1);
}
