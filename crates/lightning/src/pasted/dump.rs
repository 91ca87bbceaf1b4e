//! Hex digits in the layouts that programs print them in.

/// The bytes that a text of hex digits stands for: in one piece, in groups and lines of any length, with `0x`, `\x` or
/// separators, or as `xxd`, `hexdump` and `od` show a file. `None` when it is no hex.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    if let Some(bytes) = dump(text) {
        return Some(bytes);
    }
    let compact = text.replace("0x", "").replace("0X", "").replace("\\x", "");
    let is_separator = |symbol: char| symbol.is_whitespace() || matches!(symbol, ':' | '-' | ',' | ';' | '_');
    let compact: String = compact.chars().filter(|symbol| !is_separator(*symbol)).collect();
    if compact.is_empty() { None } else { hex::decode(compact).ok() }
}

/// The fewest digits of an offset.
const OFFSET_DIGITS: usize = 6;

/// A line of a dump, without the column of characters.
struct Line<'a> {
    offset: &'a str,
    /// What stands together; nothing in the last line, whose offset is the end.
    groups: Vec<&'a str>,
    /// Whether a group of several bytes is a number of this machine's, the lowest byte first.
    is_little_endian: bool,
}

impl<'a> Line<'a> {
    /// `00000000: 0201 036c  ..l` of xxd, `00000000  02 01 03 6c  |..l|` of `hexdump -C`, and `0000000 0102 6c03` of
    /// `hexdump` and `od`.
    fn read(line: &'a str) -> Option<Self> {
        let (offset, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let (offset, is_xxd) = offset.strip_suffix(':').map_or((offset, false), |offset| (offset, true));
        if offset.len() < OFFSET_DIGITS {
            return None;
        }
        let rest = rest.trim_start();
        let digits = if is_xxd { rest.split("  ").next() } else { rest.split(['|', '>']).next() };
        let groups = digits.unwrap_or_default().split_whitespace().collect();
        Some(Self { offset, groups, is_little_endian: !is_xxd })
    }
}

/// The bytes of a dump. Its offsets tell it from digits in groups: they count the bytes, in one of the usual ways.
fn dump(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.map(Line::read).collect::<Option<_>>()?;
    [16, 8, 10].into_iter().find_map(|radix| assemble(&lines, radix))
}

fn assemble(lines: &[Line<'_>], radix: u32) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for line in lines {
        let offset = usize::from_str_radix(line.offset, radix).ok()?;
        if line.groups.is_empty() {
            // The last number may be filled up with zeros.
            bytes.len().checked_sub(offset).filter(|surplus| *surplus < 8)?;
            bytes.truncate(offset);
            continue;
        }
        if offset != bytes.len() {
            return None;
        }
        for group in &line.groups {
            let mut part = hex::decode(group).ok()?;
            if line.is_little_endian {
                part.reverse();
            }
            bytes.extend(part);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
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
        let od = "0000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n0000020 10 11 12 13\n0000024\n";
        let od_in_hex = "000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n000010 10 11 12 13\n000014\n";
        let words = "0000000 0100 0302 0504 0706 0908 0b0a 0d0c 0f0e\n0000010 1110 1312\n0000014\n";
        let with_characters = "0000000 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f  >................<\n0000020 10 11 12 13  >....<\n";
        for dump in [xxd, hexdump, od, od_in_hex, words, with_characters] {
            assert_eq!(hex(dump), Some(bytes.clone()), "{dump}");
        }
    }

    #[test]
    fn half_of_the_last_word_is_no_part_of_the_file() {
        assert_eq!(hex("0000000 0201 0003\n0000003\n"), Some(vec![1, 2, 3]));
        assert_eq!(dump("0000000 0201 0003\n0000020\n"), None, "less than there should be");
    }

    #[test]
    fn digits_in_one_piece_are_no_dump() {
        assert_eq!(hex("0001020304"), Some(vec![0, 1, 2, 3, 4]));
        assert_eq!(hex("00010203\n04050607"), Some((0..8).collect()));
        assert_eq!((hex(""), hex("xyz"), hex("012")), (None, None, None));
    }
}
