//! Text that somebody else wrote: what may stand in it, and how it is shown where a character could do more
//! than be read. A control character moves a terminal's cursor or ends a line of a log; a mark that turns the
//! direction of writing makes a text read as another one.

use std::fmt::Write;

/// Why a text is refused.
pub const NOT_PLAIN: &str = "Control characters and marks that change the direction of writing are not allowed.";

/// Whether a character can only be read.
pub const fn is_plain(character: char) -> bool {
    !matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            // What turns the direction of writing.
            | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // What ends a line, joins what is no word, marks an order of bytes, or can't be seen at all.
            | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Whether a text, of one line, can only be read.
pub fn is_plain_text(text: &str) -> bool {
    text.chars().all(is_plain)
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
}
