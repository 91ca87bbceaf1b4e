//! The same purchase in Firefox as Tor Browser has it at its level "Safest". The code that a wallet scans is read from the
//! picture of the page.

use super::purchase::buy;
use super::session::{Browser, is_installed};
use crate::purchase::Demo;

#[test]
fn with_neither_scripts_nor_svg_a_bridge_is_bought_and_the_code_on_the_screen_is_the_invoice() {
    if !is_installed("firefox-esr") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::safest();
    buy(&mut browser, &demo.url(), |browser, page| {
        let picture = browser.screenshot(&format!("safest-{}", page.replace(' ', "-")));
        if browser.has("img.qr") {
            let invoice = browser.value("#invoice");
            let codes = codes_in(&picture);
            assert!(codes.iter().any(|code| code.to_lowercase().ends_with(&invoice)), "{codes:?} for {invoice}");
        }
    });
    assert!(browser.text("h1").starts_with("Active at "));
}

/// What the QR codes in a picture say.
pub fn codes_in(picture: &[u8]) -> Vec<String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(picture));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a picture");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a frame");
    let samples = info.color_type.samples();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[(y * width + x) * samples]);
    image.detect_grids().iter().filter_map(|grid| Some(grid.decode().ok()?.1)).collect()
}
