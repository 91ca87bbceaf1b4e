//! Walks `assets/` into a table that the program serves from: each file with its type, its ETag, a name that changes
//! with its content, and what it is as gzip where that saves something.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

/// Writes `assets.rs` into `out`, and the compressed files beside it.
pub fn write_table(root: &Path, out: &Path) -> std::io::Result<()> {
    let folder = root.join("assets");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.is_file());
    files.sort();
    let (mut names, mut table) = (String::new(), String::new());
    for file in files {
        let asset = Asset::read(&file, out)?;
        let _ = writeln!(
            names,
            "/// Where `{}` is.\npub const {}: &str = {:?};",
            asset.name,
            asset.constant(),
            asset.path()
        );
        table.push_str(&asset.row());
    }
    fs::write(out.join("assets.rs"), format!("{names}\n/// Every file.\nstatic ASSETS: &[Asset] = &[\n{table}];\n"))
}

struct Asset {
    name: String,
    file: PathBuf,
    media_type: &'static str,
    hash: String,
    gzip: Option<PathBuf>,
}

impl Asset {
    fn read(file: &Path, out: &Path) -> std::io::Result<Self> {
        let unfit = |what: &str| std::io::Error::other(format!("{}: {what}", file.display()));
        let name =
            file.file_name().and_then(|name| name.to_str()).ok_or_else(|| unfit("its name is no text"))?.to_owned();
        let media_type = media_type(&name).ok_or_else(|| unfit("what kind of file is it?"))?;
        let bytes = fs::read(file)?;
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            gzip: compressed(&bytes, &out.join(format!("{name}.gz")))?,
            name,
            file: file.to_owned(),
            media_type,
            hash,
        })
    }

    /// `style.css` is `STYLE_CSS`.
    fn constant(&self) -> String {
        self.name.to_ascii_uppercase().replace(['.', '-'], "_")
    }

    /// With a part of the hash in it: this content is there for ever.
    fn path(&self) -> String {
        let (stem, ending) = self.name.rsplit_once('.').unwrap_or((&self.name, ""));
        format!("/assets/{stem}.{}.{ending}", &self.hash[..12])
    }

    fn row(&self) -> String {
        let include = |path: &Path| format!("include_bytes!({:?})", path.display().to_string());
        let gzip = self.gzip.as_deref().map_or("None".to_owned(), |path| format!("Some({})", include(path)));
        format!(
            "    Asset {{ name: {:?}, path: {:?}, media_type: {:?}, etag: {:?}, bytes: {}, gzip: {gzip} }},\n",
            self.name,
            self.path(),
            self.media_type,
            format!("\"{}\"", &self.hash[..32]),
            include(&self.file),
        )
    }
}

fn media_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
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
