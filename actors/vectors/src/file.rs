//! A segment as a file: a cache that is complete or not there, and that says itself whether it is damaged.
//!
//! All numbers are little-endian. A header of 160 bytes with a hash of its own gives every length, so that nothing is
//! allocated that the file is too short for; sections follow in the order of [`lengths`], and then a hash of everything.
//! What has the right hash is still checked before it is used: a link out of the graph would be a panic.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::VectorsError;
use crate::graph::{Graph, LINKS_ABOVE, LINKS_GROUND};
use crate::index::Shape;
use crate::quantise::Codes;
use crate::segment::{Chunks, Segment};

/// What segment files are called after their serial number, and what they are called while they are written.
pub(crate) const EXTENSION: &str = "hnsw";
pub(crate) const UNFINISHED: &str = "unfinished";

const MAGIC: &[u8; 8] = b"LBOSVEC\n";
const VERSION: u32 = 1;
const HEADER: usize = 160;
const HASH: usize = 32;
/// Each layer holds 0.29 of the one below: 16 are enough for as many nodes as a u32 can number.
const LAYERS_MAX: usize = 16;
/// Bytes that are read or written, and hashed, at a time.
const PIECE: usize = 1 << 16;

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It is cut off, or altered. It has been removed.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of the format, another model or another dimension. It is left alone.
    #[error("it is of another model, or another version has written it")]
    Foreign,
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
}

/// The lengths that the header gives.
#[derive(Debug, PartialEq)]
struct Header {
    shape: Shape,
    serial: u64,
    nodes: u32,
    rows: u32,
    layers: Vec<u32>,
}

/// Writes a segment so that a crash at any moment leaves all of it or nothing; where it is.
pub(crate) fn write(folder: &Path, shape: &Shape, segment: &Segment) -> Result<PathBuf, VectorsError> {
    let path = folder.join(format!("{:016x}.{EXTENSION}", segment.serial));
    let unfinished = path.with_extension(UNFINISHED);
    let written = write_to(&unfinished, shape, segment)
        .and_then(|()| fs::rename(&unfinished, &path))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map(|()| path.clone()).map_err(|source| {
        // The next opening removes it as well; on a full disk the room is wanted now.
        let _ = fs::remove_file(&unfinished);
        VectorsError::Write { path, source }
    })
}

/// Removes a segment's file, if it has one. That it is still there does no harm.
pub(crate) fn remove(segment: &Segment) {
    if let Some(path) = &segment.file {
        let _ = fs::remove_file(path);
    }
}

/// Reads a segment of this shape.
pub(crate) fn read(path: &Path, shape: &Shape) -> Result<Segment, Unusable> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut input = Hashing::new(BufReader::with_capacity(PIECE, file));
    let header = input.bytes(HEADER)?;
    let header = Header::parse(header.as_slice().try_into().expect("as many bytes as were asked for"))?;
    if header.shape != *shape {
        return Err(Unusable::Foreign);
    }
    if u128::from(length) != header.length() {
        return Err(Unusable::Damaged("its length is not what its header says"));
    }
    let mut segment = header.read_body(&mut input)?;
    segment.file = Some(path.to_owned());
    Ok(segment)
}

fn write_to(path: &Path, shape: &Shape, segment: &Segment) -> io::Result<()> {
    let mut output = Hashing::new(BufWriter::with_capacity(PIECE, File::create(path)?));
    output.put(&Header::of(shape, segment)?.bytes())?;
    let (chunks, graph) = (segment.chunks(), &segment.graph);
    output.put_all(&chunks.ids, u64::to_le_bytes)?;
    output.put_all(&chunks.rows, u32::to_le_bytes)?;
    output.put_all(&chunks.twins, u32::to_le_bytes)?;
    output.put_all(segment.codes.scales(), f32::to_le_bytes)?;
    output.put_all(segment.codes.codes(), i8::to_le_bytes)?;
    output.put_all(&graph.ground, u32::to_le_bytes)?;
    for layer in &graph.above {
        output.put_all(layer, u32::to_le_bytes)?;
    }
    let hash = output.hash.finalize();
    output.inner.write_all(hash.as_bytes())?;
    output.inner.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

impl Header {
    fn of(shape: &Shape, segment: &Segment) -> io::Result<Self> {
        let count = |length: usize| u32::try_from(length).map_err(io::Error::other);
        let layers = segment.graph.above.iter().map(|layer| count(layer.len() / LINKS_ABOVE));
        let layers: Vec<_> = layers.collect::<io::Result<_>>()?;
        if layers.len() > LAYERS_MAX {
            return Err(io::Error::other("a graph of too many layers"));
        }
        let (nodes, rows) = (count(segment.codes.len())?, count(segment.len())?);
        Ok(Self { shape: *shape, serial: segment.serial, nodes, rows, layers })
    }

    /// Magic, version, dimension, fingerprint, serial, nodes, rows, number of layers, nodes of each layer; zeros to
    /// byte 128; the hash of those 128 bytes.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend((self.shape.dimension as u64).to_le_bytes());
        bytes.extend(self.shape.fingerprint);
        bytes.extend(self.serial.to_le_bytes());
        let layers = u32::try_from(self.layers.len()).expect("at most LAYERS_MAX");
        for number in [self.nodes, self.rows, layers].iter().chain(&self.layers) {
            bytes.extend(number.to_le_bytes());
        }
        bytes.resize(HEADER - HASH, 0);
        bytes.extend(blake3::hash(&bytes).as_bytes());
        bytes
    }

    fn parse(bytes: &[u8; HEADER]) -> Result<Self, Unusable> {
        let (head, hash) = bytes.split_at(HEADER - HASH);
        if !head.starts_with(MAGIC) || blake3::hash(head).as_bytes() != hash {
            return Err(Unusable::Damaged("its header is altered"));
        }
        let four = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four bytes"));
        let eight = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
        let dimension = usize::try_from(eight(12));
        let (Ok(dimension), VERSION) = (dimension, four(8)) else { return Err(Unusable::Foreign) };
        let fingerprint = head[20..36].try_into().expect("sixteen bytes");
        let (serial, nodes, rows, layers) = (eight(36), four(44), four(48), four(52) as usize);
        if nodes > rows || layers > LAYERS_MAX {
            return Err(Unusable::Damaged("its header contradicts itself"));
        }
        let layers = (0..layers).map(|layer| four(56 + 4 * layer)).collect();
        Ok(Self { shape: Shape { dimension, fingerprint }, serial, nodes, rows, layers })
    }

    /// Bytes of the whole file.
    fn length(&self) -> u128 {
        let (nodes, rows) = (u128::from(self.nodes), u128::from(self.rows));
        let above: u128 = self.layers.iter().map(|nodes| u128::from(*nodes)).sum();
        let chunks = rows * (8 + 4) + (rows - nodes) * 4;
        let vectors = nodes * (4 + self.shape.dimension as u128);
        let links = nodes * LINKS_GROUND as u128 + above * LINKS_ABOVE as u128;
        (HEADER + HASH) as u128 + chunks + vectors + links * 4
    }

    /// Reads what follows, when the length of the file is known to be right.
    fn read_body(&self, input: &mut Hashing<impl Read>) -> Result<Segment, Unusable> {
        let (nodes, rows) = (self.nodes as usize, self.rows as usize);
        let ids = input.take_all(rows, u64::from_le_bytes)?;
        let by_rank = input.take_all(rows, u32::from_le_bytes)?;
        let twins = input.take_all(rows - nodes, u32::from_le_bytes)?;
        let scales = input.take_all(nodes, f32::from_le_bytes)?;
        let codes = input.take_all(nodes * self.shape.dimension, i8::from_le_bytes)?;
        let ground = input.take_all(nodes * LINKS_GROUND, u32::from_le_bytes)?;
        let above = self.layers.iter();
        let above = above.map(|nodes| input.take_all(*nodes as usize * LINKS_ABOVE, u32::from_le_bytes));
        let above = above.collect::<io::Result<_>>()?;
        let hash = input.hash.finalize();
        if input.bytes(HASH)? != hash.as_bytes() {
            return Err(Unusable::Damaged("its content is altered"));
        }
        let finite = scales.iter().all(|scale| scale.is_finite());
        let chunks = Chunks::from_parts(ids, by_rank, twins);
        let codes = Codes::from_parts(self.shape.dimension, codes, scales).filter(|_| finite);
        let segment = chunks.zip(codes).and_then(|(chunks, codes)| {
            Segment::from_parts(self.serial, codes, Graph { ground, above }, chunks)
        });
        segment.ok_or(Unusable::Damaged("its content contradicts itself"))
    }
}

/// Hashes what goes through it.
struct Hashing<T> {
    inner: T,
    hash: blake3::Hasher,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self { inner, hash: blake3::Hasher::new() }
    }
}

impl<T: Write> Hashing<T> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.inner.write_all(bytes)
    }

    fn put_all<V: Copy, const N: usize>(
        &mut self,
        values: &[V],
        bytes: impl Fn(V) -> [u8; N],
    ) -> io::Result<()> {
        let mut piece = Vec::with_capacity(PIECE);
        for values in values.chunks(PIECE / N) {
            piece.clear();
            piece.extend(values.iter().flat_map(|value| bytes(*value)));
            self.put(&piece)?;
        }
        Ok(())
    }
}

impl<T: Read> Hashing<T> {
    fn bytes(&mut self, count: usize) -> Result<Vec<u8>, Unusable> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Unusable::Damaged("it is cut off"),
            _ => Unusable::Unreadable(error),
        })?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.hash.update(bytes);
        Ok(())
    }

    fn take_all<V, const N: usize>(
        &mut self,
        count: usize,
        value: impl Fn([u8; N]) -> V,
    ) -> io::Result<Vec<V>> {
        let mut values = Vec::with_capacity(count);
        let mut piece = vec![0; PIECE / N * N];
        while values.len() < count {
            let bytes = (count - values.len()).min(PIECE / N) * N;
            self.fill(&mut piece[..bytes])?;
            values.extend(piece[..bytes].as_chunks::<N>().0.iter().map(|bytes| value(*bytes)));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests;
