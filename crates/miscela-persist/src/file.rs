//! Documents in files: written whole or not at all, read up to a limit.

use crate::{Codec, Header, PersistError, write_atomically};
use serde::{Serialize, de::DeserializeOwned};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// The largest file that is read as a model: 4 GB.
pub const MAX_BYTES: u64 = 4_000_000_000;

/// Writes a document in the codec that the file's ending stands for.
///
/// The bytes go to a temporary file in the same folder, reach the disk, and then take the name `path`, as
/// [`write_atomically`] has it: whoever reads it sees the old document or the new one, never a part.
///
/// # Errors
///
/// [`PersistError::UnknownEnding`], all of [`Codec::encode`], and [`PersistError::Io`] with the path.
pub fn save<T: Serialize + ?Sized>(path: impl AsRef<Path>, document: &T) -> Result<(), PersistError> {
    let codec = Codec::from_path(path.as_ref())?;
    save_as(path, codec, document)
}

/// Writes a document in this codec as [`save`] does, whatever the file's ending.
///
/// # Errors
///
/// All of [`Codec::encode`], and [`PersistError::Io`] with the path.
pub fn save_as<T: Serialize + ?Sized>(path: impl AsRef<Path>, codec: Codec, document: &T) -> Result<(), PersistError> {
    let (path, bytes) = (path.as_ref(), codec.encode(document)?);
    write(path, &bytes).map_err(|source| PersistError::io(path, source))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomically(path, |mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })?;
    // The name itself is on the disk once the folder is. The document is whole either way, and not every file system
    // can do this, so a refusal is no failure.
    #[cfg(unix)]
    let _ = path.canonicalize().map(|path| path.parent().map(|folder| File::open(folder).and_then(|it| it.sync_all())));
    Ok(())
}

/// The bytes of a file, at most [`MAX_BYTES`] of them.
///
/// # Errors
///
/// [`PersistError::Io`] and [`PersistError::TooLarge`], with the path.
pub fn load_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, PersistError> {
    read_up_to(path.as_ref(), MAX_BYTES)
}

fn read_up_to(path: &Path, limit: u64) -> Result<Vec<u8>, PersistError> {
    let too_large = || PersistError::TooLarge { path: path.to_path_buf(), limit };
    let file = File::open(path).map_err(|source| PersistError::io(path, source))?;
    // Devices and pipes have no length, so the reading is limited as well.
    if file.metadata().is_ok_and(|metadata| metadata.len() > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|source| PersistError::io(path, source))?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// A file whose header has been read, to find out what it holds before it is decoded.
///
/// # Example
///
/// ```
/// use miscela_persist::{Document, Dtype, Format, Version, save};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct KMeansDocument<F> {
///     format: Format,
///     version: Version,
///     kind: String,
///     dtype: Dtype,
///     n_features: usize,
///     centroids: Vec<Vec<F>>,
/// }
///
/// let model = KMeansDocument {
///     format: Format,
///     version: Version::default(),
///     kind: "kmeans".to_string(),
///     dtype: Dtype::F32,
///     n_features: 2,
///     centroids: vec![vec![0.1f32, 1.0], vec![2.0, 3.0]],
/// };
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("model.cbor");
/// save(&path, &model)?;
///
/// let document = Document::open(&path)?;
/// document.header().expect_kind(&["kmeans"])?;
/// document.header().expect_dtype(Dtype::F32)?;
/// let again: KMeansDocument<f32> = document.decode()?;
/// assert_eq!(again.centroids, model.centroids);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    codec: Codec,
    header: Header,
    bytes: Vec<u8>,
}

impl Document {
    /// Reads a file and its header, in the codec that its ending stands for.
    ///
    /// # Errors
    ///
    /// Those of [`Codec::from_path`], [`load_bytes`] and [`Codec::peek`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PersistError> {
        let codec = Codec::from_path(&path)?;
        Document::from_bytes(load_bytes(path)?, codec)
    }

    /// A document that is in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Codec::peek`].
    pub fn from_bytes(bytes: Vec<u8>, codec: Codec) -> Result<Self, PersistError> {
        let header = codec.peek(&bytes)?;
        Ok(Document { codec, header, bytes })
    }

    /// The codec of the file.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// What the document says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The whole document.
    ///
    /// # Errors
    ///
    /// Those of [`Codec::decode`].
    pub fn decode<T: Serialize + DeserializeOwned>(&self) -> Result<T, PersistError> {
        self.codec.decode(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn reading_stops_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read_up_to(&path, 5).unwrap(), b"12345");
        assert!(matches!(read_up_to(&path, 4), Err(PersistError::TooLarge { limit: 4, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_without_a_length_is_limited_too() {
        let error = read_up_to(Path::new("/dev/zero"), 1000).unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: larger than 1000 bytes, the most that is read as a model");
    }
}
