//! LNURL: a URL written as wallets scan it (LUD-01).

use bech32::{Bech32, Hrp};

const PREFIX: Hrp = Hrp::parse_unchecked("lnurl");

/// `LNURL1…`, in capitals, which make a smaller QR code; empty for a URL that is too long for one (over 600 bytes).
pub fn encode(url: &str) -> String {
    bech32::encode_upper::<Bech32>(PREFIX, url.as_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bech32::primitives::decode::CheckedHrpstring;

    use super::*;

    #[test]
    fn what_is_decoded_is_the_url() {
        let url = "https://shop.example/lnurl/renew/bridge/123e4567-e89b-42d3-a456-426614174000/";
        let code = encode(url);
        let read = CheckedHrpstring::new::<Bech32>(&code).expect("a code");
        assert_eq!(read.hrp(), PREFIX);
        assert_eq!(String::from_utf8(read.byte_iter().collect()).unwrap(), url);
        assert!(code.starts_with("LNURL1") && code == code.to_ascii_uppercase());
    }

    #[test]
    fn the_code_of_the_specification_is_written_as_there() {
        let url = "https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df";
        let code = "LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS";
        assert_eq!(encode(url), code);
    }
}
