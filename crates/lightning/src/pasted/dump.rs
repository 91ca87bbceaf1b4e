//! Hex digits in the layouts that programs print them in.

/// The bytes that a text of hex digits stands for: in one piece, in groups and lines of any length, with `0x`, `\x` or
/// separators, or as `xxd` and `hexdump -C` show a file. `None` when it is no hex.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: String = match lines_of_dump(text) {
        Some(lines) => lines.concat(),
        None => text.to_owned(),
    };
    let compact = digits.replace("0x", "").replace("0X", "").replace("\\x", "");
    let is_separator = |symbol: char| symbol.is_whitespace() || matches!(symbol, ':' | '-' | ',' | ';' | '_');
    let compact: String = compact.chars().filter(|symbol| !is_separator(*symbol)).collect();
    if compact.is_empty() { None } else { hex::decode(compact).ok() }
}

/// The digits of each line of a dump, without its offset and the column of characters.
fn lines_of_dump(text: &str) -> Option<Vec<&str>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let digits: Vec<_> = lines.map(digits_of_line).collect::<Option<_>>()?;
    digits.first().is_some_and(|first| !first.is_empty()).then_some(digits)
}

/// `00000000: 0201 036c  ..l` and `00000000  02 01 03 6c  |..l|`; the last line of the second kind is an offset alone.
fn digits_of_line(line: &str) -> Option<&str> {
    let (offset, rest) = line.split_at_checked(8)?;
    if !offset.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    if let Some(rest) = rest.strip_prefix(": ") {
        return Some(rest.split_once("  ").map_or(rest, |(digits, _)| digits));
    }
    match rest.strip_prefix("  ") {
        Some(rest) => Some(rest.split_once('|').map_or(rest, |(digits, _)| digits)),
        None => rest.is_empty().then_some(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dumps_of_usual_programs_are_read_without_their_other_columns() {
        let bytes: Vec<u8> = (0..20).collect();
        let xxd = "00000000: 0001 0203 0405 0607 0809 0a0b 0c0d 0e0f  ................\n00000010: 1011 1213       ....";
        let hexdump = "00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  |ab cd ef 00  ....|\n\
                       00000010  10 11 12 13                                       |....|\n00000014\n";
        for dump in [xxd, hexdump] {
            assert_eq!(hex(dump), Some(bytes.clone()), "{dump}");
        }
    }

    #[test]
    fn digits_in_one_piece_are_no_dump() {
        assert_eq!(hex("0001020304"), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(hex("00010203\n04050607"), Some((0..8).collect()));
        assert_eq!((hex(""), hex("xyz"), hex("012")), (None, None, None));
    }
}
