//! How the shop's pages look and what they say of its operator: `[branding]`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::problem::Problem;
use super::reader::Section;
use crate::domain::text;

/// The longest name.
const MAX_NAME: usize = 60;
/// The longest text of a link, contact or address.
const MAX_LINE: usize = 250;
/// The longest introduction.
const MAX_INTRO: usize = 1000;
/// More links are no footer any more.
const MAX_LINKS: usize = 8;
/// The largest logo, in bytes: with it a first visit is still at most 40 kB.
const MAX_LOGO: u64 = 20_000;
/// How strongly text must stand out from its ground (WCAG 2, level AA).
const MIN_CONTRAST: f64 = 4.5;
/// The grounds that links and buttons stand on, by day and by night, as `assets/style.css` has them.
const GROUNDS: [Colour; 2] = [Colour([0xfb, 0xfa, 0xf8]), Colour([0xff, 0xff, 0xff])];
const DARK_GROUNDS: [Colour; 2] = [Colour([0x17, 0x16, 0x1b]), Colour([0x21, 0x1f, 0x27])];

/// `[branding]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// The name on the pages; `None` takes that of the site (`site set --name`).
    pub name: Option<String>,
    /// A picture beside it.
    pub logo: Option<PathBuf>,
    /// What the front page says first.
    pub intro: Option<String>,
    /// Links at the end of every page: words and address.
    pub links: Vec<(String, String)>,
    /// The colour of links and buttons.
    pub colour: Option<Colour>,
    /// Whom to tell of abuse.
    pub abuse_contact: Option<String>,
}

/// A colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([red, green, blue]) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Colour {
    /// Reads `#5b2a86`.
    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii());
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let [_, red, green, blue] =
            number.ok_or_else(|| format!("{text:?} is not a colour such as \"#5b2a86\""))?.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// One that can be read on the pages' light grounds.
    fn readable(text: &str) -> Result<Self, String> {
        let colour = Self::parse(text)?;
        let contrast = colour.least_contrast(GROUNDS);
        if contrast >= MIN_CONTRAST {
            return Ok(colour);
        }
        Err(format!(
            "{colour} can't be read well on the pages' light ground: its contrast is {contrast:.1}, and {MIN_CONTRAST} is \
             the least; take a darker one"
        ))
    }

    /// The same, so much lighter that it can be read on the pages' dark grounds.
    pub fn by_night(self) -> Self {
        let lighter = |step: u16| {
            Self(self.0.map(|part| {
                let part = u16::from(part);
                u8::try_from(part + (255 - part) * step / 20).unwrap_or(255)
            }))
        };
        (0..20)
            .map(lighter)
            .find(|colour| colour.least_contrast(DARK_GROUNDS) >= MIN_CONTRAST)
            .unwrap_or(Self([255; 3]))
    }

    fn least_contrast(self, grounds: [Self; 2]) -> f64 {
        grounds.into_iter().map(|ground| self.contrast(ground)).fold(f64::INFINITY, f64::min)
    }

    /// From 1 (the same) to 21 (black on white), as WCAG defines it.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

/// A picture that browsers show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// `image/png` or `image/jpeg`.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Branding {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let some = |text: &str, fits: Result<(), String>| fits.map(|()| Some(text.trim().to_owned()));
        let branding = Self {
            name: section.read("name", None, |text| some(text, line(text, MAX_NAME))),
            logo: section.read("logo", None, |text| match Path::new(text) {
                path if path.is_absolute() && !text.contains('\0') => Ok(Some(path.to_owned())),
                _ => Err(format!("{text:?} is not an absolute path")),
            }),
            intro: section.read("intro", None, |text| some(text, lines(text))),
            links: section.strings("links", Vec::new(), link),
            colour: section.read("colour", None, |text| Colour::readable(text).map(Some)),
            abuse_contact: section.read("abuse_contact", None, |text| some(text, line(text, MAX_LINE))),
        };
        if branding.links.len() > MAX_LINKS {
            section.problem("links", format!("at most {MAX_LINKS} links fit"));
        }
        section.finish();
        branding
    }

    /// The logo, read and checked.
    ///
    /// # Errors
    /// What is wrong with it. Pages can do without.
    pub fn read_logo(&self) -> Result<Option<Logo>, Problem> {
        let Some(path) = &self.logo else { return Ok(None) };
        let problem = |message: String| Problem { key: "branding.logo".to_owned(), message };
        let size =
            std::fs::metadata(path).map_err(|error| problem(format!("can't read {}: {error}", path.display())))?;
        if size.len() > MAX_LOGO {
            return Err(problem(format!("{} has {} bytes, and at most {MAX_LOGO} fit", path.display(), size.len())));
        }
        let bytes = std::fs::read(path).map_err(|error| problem(format!("can't read {}: {error}", path.display())))?;
        let media_type = media_type(&bytes)
            .ok_or_else(|| problem(format!("{} is neither a PNG nor a JPEG picture", path.display())))?;
        Ok(Some(Logo { media_type, bytes }))
    }
}

/// By what it begins with, whatever its name says.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        _ => None,
    }
}

fn line(text: &str, most: usize) -> Result<(), String> {
    let length = text.trim().chars().count();
    if (1..=most).contains(&length) && text::is_plain_name(text.trim()) {
        return Ok(());
    }
    Err(format!("{text:?} must be one line of 1 to {most} characters"))
}

fn lines(text: &str) -> Result<(), String> {
    let length = text.trim().chars().count();
    if (1..=MAX_INTRO).contains(&length) && text::is_plain_lines(text) {
        return Ok(());
    }
    Err(format!("the text must have 1 to {MAX_INTRO} plain characters"))
}

/// `Our forum https://forum.example/`
fn link(text: &str) -> Result<(String, String), String> {
    line(text, MAX_LINE)?;
    let wrong = || format!("{text:?} is not words and an address, as in \"Our forum https://forum.example/\"");
    let (words, address) = text.trim().rsplit_once(' ').ok_or_else(wrong)?;
    let rest = ["https://", "http://", "mailto:"].iter().find_map(|scheme| address.strip_prefix(scheme));
    match rest {
        Some(rest) if !rest.is_empty() && !words.trim().is_empty() => Ok((words.trim().to_owned(), address.to_owned())),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_colour_must_be_readable_by_day_and_is_made_lighter_by_night() {
        for (text, fits) in
            [("#5b2a86", true), ("#000000", true), ("#f7931a", false), ("#5b2a8", false), ("red", false)]
        {
            assert_eq!(Colour::readable(text).is_ok(), fits, "{text}");
        }
        for text in ["#5b2a86", "#000000", "#005f00", "#0000ff"] {
            let night = Colour::readable(text).unwrap().by_night();
            assert!(night.least_contrast(DARK_GROUNDS) >= MIN_CONTRAST, "{text}: {night}");
        }
        let (black, white) = (Colour([0; 3]), Colour([255; 3]));
        assert!((black.contrast(white) - 21.0).abs() < 1e-9);
    }

    #[test]
    fn the_grounds_are_those_of_the_stylesheet() {
        let style = include_str!("../../assets/style.css");
        let [ground, _] = GROUNDS;
        let [dark_ground, dark_card] = DARK_GROUNDS;
        for (name, colour) in [("ground", ground), ("ground", dark_ground), ("card", dark_card)] {
            assert!(style.contains(&format!("--{name}: {colour};")), "{name} {colour}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_with_its_key() {
        let text =
            "[branding]\nname = \"\"\nlogo = \"logo.png\"\ncolour = \"#eeeeee\"\nlinks = [\"x\", \"a javascript:b\"]\n";
        let problems = Config::parse(text).unwrap_err();
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(
            keys,
            ["branding.name", "branding.logo", "branding.links[0]", "branding.links[1]", "branding.colour"]
        );
        let good = "[branding]\nlinks = [\"Our forum https://forum.example/\", \"Mail mailto:me@example.org\"]\n";
        let links = Config::parse(good).unwrap().branding.links;
        assert_eq!(links[0], ("Our forum".to_owned(), "https://forum.example/".to_owned()));
    }

    #[test]
    fn a_logo_is_what_its_first_bytes_say_and_not_too_large() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("logo.png");
        let branding = Branding { logo: Some(path.clone()), ..Branding::default() };
        assert!(branding.read_logo().is_err(), "not there");
        for (bytes, is_one) in [
            (b"\x89PNG\r\n\x1a\nrest".to_vec(), true),
            (b"\xff\xd8\xff\xe0rest".to_vec(), true),
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), false),
            ([b"\xff\xd8\xff".to_vec(), vec![0; 20_000]].concat(), false),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(branding.read_logo().is_ok(), is_one, "{} bytes", bytes.len());
        }
    }
}
