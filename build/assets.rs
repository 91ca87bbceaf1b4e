//! Walks `assets/` into a table that the program serves from: each file with its type, its ETag, a name that changes
//! with its content, and what it is as gzip where that saves something.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::api_page;
use super::references::References;

/// The folders, each below the last part of its files' addresses.
const FOLDERS: [(&str, &str); 2] = [("assets", "/assets/"), ("assets/admin", "/admin/")];

/// A file as it is in the repository.
pub struct Source {
    /// Where it is served by its own name.
    pub plain: String,
    pub file: PathBuf,
    pub bytes: Vec<u8>,
}

/// Writes `assets.rs` into `out`, and the files that it includes beside it.
pub fn write_table(root: &Path, out: &Path) -> std::io::Result<()> {
    let mut sources = Vec::new();
    for (folder, address) in FOLDERS {
        sources.extend(read_folder(&root.join(folder), address)?);
    }
    sources.push(documentation(&root.join("openapi.yaml"))?);
    let mut references = References::of(&sources);
    let (mut names, mut table) = (String::new(), String::new());
    for source in &sources {
        let bytes = references.resolved(&source.plain)?;
        let asset = Asset::new(source, &bytes, out)?;
        if let Some(constant) = asset.constant() {
            let _ = writeln!(names, "/// Where `{}` is.\npub const {constant}: &str = {:?};", asset.plain, asset.path);
        }
        table.push_str(&asset.row());
    }
    fs::write(out.join("assets.rs"), format!("{names}\n/// Every file.\nstatic ASSETS: &[Asset] = &[\n{table}];\n"))
}

/// The page that is made of the API's document.
fn documentation(document: &Path) -> std::io::Result<Source> {
    println!("cargo:rerun-if-changed={}", document.display());
    let page = api_page::of(&fs::read_to_string(document)?).map_err(|error| unfit(document, &error.to_string()))?;
    Ok(Source { plain: "/docs/".to_owned(), file: "docs.html".into(), bytes: page.into_bytes() })
}

fn read_folder(folder: &Path, address: &str) -> std::io::Result<Vec<Source>> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    let source = |file: PathBuf| {
        let name =
            file.file_name().and_then(|name| name.to_str()).ok_or_else(|| unfit(&file, "its name is no text"))?;
        // A folder's page is at the address of the folder.
        let plain = format!("{address}{}", if name == "index.html" { "" } else { name });
        Ok(Source { plain, bytes: fs::read(&file)?, file })
    };
    files.into_iter().map(source).collect()
}

/// Where a file is: with a part of its content's hash in its name, so that this address means this content for ever. A
/// page stays where people know it.
pub fn path(plain: &str, bytes: &[u8]) -> String {
    match plain.rsplit_once('.') {
        Some((stem, ending)) => format!("{stem}.{}.{ending}", &hash(bytes)[..12]),
        None => plain.to_owned(),
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unfit(file: &Path, what: &str) -> std::io::Error {
    std::io::Error::other(format!("{}: {what}", file.display()))
}

struct Asset {
    plain: String,
    path: String,
    file: PathBuf,
    media_type: &'static str,
    hash: String,
    gzip: Option<PathBuf>,
}

impl Asset {
    fn new(source: &Source, bytes: &[u8], out: &Path) -> std::io::Result<Self> {
        let media_type = media_type(&source.file).ok_or_else(|| unfit(&source.file, "what kind of file is it?"))?;
        let name = source.plain.trim_start_matches('/').replace('/', "-");
        let file = out.join(format!("{name}.asset"));
        fs::write(&file, bytes)?;
        Ok(Self {
            gzip: compressed(bytes, &out.join(format!("{name}.gz")))?,
            plain: source.plain.clone(),
            path: path(&source.plain, bytes),
            file,
            media_type,
            hash: hash(bytes),
        })
    }

    /// The name by which pages know `style.css`: `STYLE_CSS`. What only other files refer to needs none.
    fn constant(&self) -> Option<String> {
        Some(self.plain.strip_prefix("/assets/")?.to_ascii_uppercase().replace(['.', '-'], "_"))
    }

    fn row(&self) -> String {
        let include = |path: &Path| format!("include_bytes!({:?})", path.display().to_string());
        let gzip = self.gzip.as_deref().map_or("None".to_owned(), |path| format!("Some({})", include(path)));
        format!(
            "    Asset {{ plain: {:?}, path: {:?}, media_type: {:?}, etag: {:?}, bytes: {}, gzip: {gzip} }},\n",
            self.plain,
            self.path,
            self.media_type,
            format!("\"{}\"", &self.hash[..32]),
            include(&self.file),
        )
    }
}

fn media_type(file: &Path) -> Option<&'static str> {
    Some(match file.extension()?.to_str()? {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "png" => "image/png",
        _ => return None,
    })
}

/// The file as gzip, where that is at least a twentieth smaller.
fn compressed(bytes: &[u8], to: &Path) -> std::io::Result<Option<PathBuf>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    let packed = encoder.finish()?;
    if packed.len() * 20 > bytes.len() * 19 {
        return Ok(None);
    }
    fs::write(to, packed)?;
    Ok(Some(to.to_owned()))
}
