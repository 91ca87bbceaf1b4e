//! Text that somebody else wrote: what may stand in it, and how it is shown where a character could do more
//! than be read. A control character moves a terminal's cursor or ends a line of a log; a mark that turns the
//! direction of writing makes a text read as another one; two names that differ in what can't be seen are taken for one.

use std::fmt::Write;

/// Why a text is refused.
pub const NOT_PLAIN: &str =
    "Control characters, marks that change the direction of writing and characters that can't be seen are not allowed.";

/// Whether a character can only be read, where it may stand (see [`is_plain_text`]).
pub const fn is_plain(character: char) -> bool {
    !matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            // What turns the direction of writing.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // What ends a line, joins what is no word, marks an order of bytes, or can't be seen at all.
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
            // What is blank or shows nothing: hyphens and joiners, fillers of Hangul, the empty pattern of Braille, the
            // selectors of Mongolian, the marks of shorthand and of music, other selectors of variants.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0d}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
    )
}

/// Whether a character shows nothing of its own and only changes its neighbours.
const fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')
}

/// Whether a text, of one line, can only be read. What joins characters or picks a variant of one may stand where it
/// changes what is seen: in pictures (`❤️`, `👩‍🚀`, `1️⃣`) and in the scripts that are written with it.
pub fn is_plain_text(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let fits = |index: usize| {
        let before = index.checked_sub(1).and_then(|index| characters.get(index)).copied();
        let (before, after) = (before.unwrap_or(' '), characters.get(index + 1).copied().unwrap_or(' '));
        match characters[index] {
            '\u{200c}' => is_of_joining_script(before) && is_of_joining_script(after),
            '\u{200d}' if is_of_joining_script(before) => is_of_joining_script(after) || after == ' ',
            '\u{200d}' => (is_picture(before) || before == '\u{fe0f}') && is_picture(after),
            '\u{fe0e}' | '\u{fe0f}' => is_picture(before) || matches!(before, '0'..='9' | '#' | '*'),
            other => is_plain(other),
        }
    };
    (0..characters.len()).all(fits)
}

/// Whether a text is of several lines that can only be read each.
pub fn is_plain_lines(text: &str) -> bool {
    text.split('\n').all(|line| is_plain_text(&line.strip_suffix('\r').unwrap_or(line).replace('\t', " ")))
}

/// Whether a name can only be read: nothing in it is there that can't be seen.
pub fn is_plain_name(name: &str) -> bool {
    name.chars().all(|character| is_plain(character) && !is_joiner(character))
}

/// Symbols and pictures, among them the tones of skin.
const fn is_picture(character: char) -> bool {
    matches!(character, '\u{a9}' | '\u{ae}' | '\u{203c}'..='\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
        && !is_joiner(character)
        && is_plain(character)
}

/// From Arabic to the scripts of India, Tibet and Burma, without their blanks.
const fn is_of_joining_script(character: char) -> bool {
    matches!(character, '\u{620}'..='\u{109f}' | '\u{1780}'..='\u{18aa}') && is_plain(character)
}

/// A text as a terminal may show it: of what is not plain only the number, as in `\u{1b}`. Lines stay lines.
pub fn for_terminal(text: &str) -> String {
    escaped(
        text,
        |character| is_plain(character) || character == '\n',
        |out, character| {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        },
    )
}

/// A text within one line, as a cell of a table.
pub fn for_line(text: &str) -> String {
    for_terminal(text).replace('\n', "\\n")
}

/// A JSON document as a terminal may show it, and a program may read it all the same.
pub fn json_for_terminal(document: &str) -> String {
    escaped(
        document,
        |character| is_plain(character) || character == '\n',
        |out, character| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

/// A text as a string of TOML, with its quotes.
pub fn for_toml(text: &str) -> String {
    let inner = escaped(
        text,
        |character| is_plain(character) && !matches!(character, '"' | '\\'),
        |out, character| {
            let _ = match character {
                '"' | '\\' => write!(out, "\\{character}"),
                other => write!(out, "\\U{:08X}", u32::from(other)),
            };
        },
    );
    format!("\"{inner}\"")
}

fn escaped(text: &str, stays: impl Fn(char) -> bool, escape: impl Fn(&mut String, char)) -> String {
    if text.chars().all(&stays) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if stays(character) {
            out.push(character);
        } else {
            escape(&mut out, character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUDE: &str = "a\u{1b}[2Jb\u{202e}c\u{9b}d\"\\\ne";

    #[test]
    fn what_can_only_be_read_is_plain() {
        assert!(is_plain_text("üñï ✓ 日本語 עברית العربية 👍 a\u{301}"));
        for rude in ["\0", "\t", "\n", "\r", "\u{1b}", "\u{7f}", "\u{85}", "\u{9b}", "\u{200e}", "\u{200f}", "\u{61c}"]
        {
            assert!(!is_plain_text(rude), "{rude:?}");
        }
        for rude in ["\u{202a}", "\u{202e}", "\u{2066}", "\u{2069}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{e0041}"] {
            assert!(!is_plain_text(rude), "{rude:?}");
        }
    }

    #[test]
    fn what_can_not_be_seen_is_not_plain() {
        let invisible = "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{180e}\u{200b}\u{2060}\u{2064}\u{2800}\u{3164}\u{fe00}\
                         \u{ffa0}\u{fff0}\u{1bca0}\u{1bca3}\u{1d173}\u{1d17a}\u{e0001}\u{e0100}\u{e01ef}\u{e0fff}";
        for character in invisible.chars() {
            let text = format!("a{character}b");
            assert!(!is_plain_text(&text) && !is_plain_name(&text) && !is_plain_lines(&text), "{text:?}");
        }
    }

    #[test]
    fn joiners_stand_where_they_change_what_is_seen_and_never_in_a_name() {
        for text in [
            "❤\u{fe0f} Tor",
            "👩\u{200d}🚀",
            "👩🏽\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "1\u{fe0f}\u{20e3}",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
        ] {
            assert!(is_plain_text(text) && !is_plain_name(text), "{text:?}");
        }
        for text in [
            "a\u{200d}b",
            "a\u{200c}b",
            "\u{200d}",
            "a\u{fe0f}",
            "❤\u{fe0f}\u{fe0f}",
            "👩\u{200d}\u{200d}🚀",
            "👩\u{200d}",
        ] {
            assert!(!is_plain_text(text), "{text:?}");
        }
    }

    #[test]
    fn lines_may_end_and_be_indented_and_nothing_else() {
        assert!(is_plain_lines("one\r\n\ttwo\n\nthree"));
        assert!(!is_plain_lines("one\rtwo") && !is_plain_lines("one\n\u{1b}[2J"));
    }

    #[test]
    fn a_terminal_is_shown_the_numbers_of_what_is_not_plain() {
        assert_eq!(for_terminal(RUDE), "a\\u{1b}[2Jb\\u{202e}c\\u{9b}d\"\\\ne");
        assert_eq!(for_line("a\nb\tc"), "a\\nb\\u{9}c");
        assert_eq!(for_terminal("plain ✓"), "plain ✓");
    }

    #[test]
    fn a_document_for_a_terminal_says_the_same_as_before() {
        let value = serde_json::json!({ "text": format!("{RUDE}\u{e0041}") });
        let shown = json_for_terminal(&format!("{value:#}"));
        assert!(shown.chars().all(|character| is_plain(character) || character == '\n'), "{shown:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_string_of_toml_is_read_as_it_was() {
        for text in [RUDE, "", "plain", "\"\"\"", "\r\n[[outputs.exec]]\n", "\u{e0041}"] {
            let document = format!("text = {}", for_toml(text));
            assert_eq!(document.lines().count(), 1, "{document}");
            let read: toml::Table = document.parse().unwrap();
            assert_eq!(read["text"].as_str(), Some(text));
        }
    }

    #[test]
    fn a_joiner_needs_what_it_joins_on_both_sides() {
        for text in ["م\u{200c}b", "b\u{200c}م", "क्\u{200d}b", "a\u{200d}🚀", "❤\u{200d}b"] {
            assert!(!is_plain_text(text), "{text:?}");
        }
        for text in ["क्\u{200d}", "क्\u{200d} ष", "#\u{fe0f}"] {
            assert!(is_plain_text(text), "{text:?}");
        }
    }
}
