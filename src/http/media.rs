//! Pictures of payment requests: QR codes, made when they are first asked for. Those asked for last are kept
//! in memory; nothing is stored.

use std::collections::VecDeque;

use bytes::Bytes;
use http::header;
use parking_lot::Mutex;
use poem::{Request, Response};
use qrcode::{Color, EcLevel, QrCode};

use super::problem::Problem;
use crate::domain::id::OrderId;
use crate::services::{Shop, orders};

/// Pixels per module.
const SCALE: usize = 6;
/// Modules of white around the code, as the standard asks.
const MARGIN: usize = 4;

/// Pictures that are kept at most…
const KEPT: usize = 32;
/// …each with its payment request of at most so many bytes; larger ones are made again each time.
const KEPT_BYTES: usize = 8 << 10;
/// What strangers can make the pictures hold, in bytes.
pub const MOST_BYTES: usize = KEPT * (KEPT_BYTES + 128);

/// The pictures that were asked for last, the latest at the end.
#[derive(Default)]
pub struct Pictures(Mutex<VecDeque<(String, Bytes)>>);

impl Pictures {
    /// The picture of a payment request.
    pub(super) fn of(&self, payment_request: &str) -> Result<Bytes, String> {
        if let Some(picture) = self.kept(payment_request) {
            return Ok(picture);
        }
        // Upper case makes the code smaller, and BOLT11 knows no case.
        let picture = Bytes::from(png_of(&payment_request.to_ascii_uppercase())?.into_boxed_slice());
        if payment_request.len() + picture.len() <= KEPT_BYTES {
            let mut kept = self.0.lock();
            if kept.len() >= KEPT {
                kept.pop_front();
            }
            kept.push_back((payment_request.to_owned(), picture.clone()));
        }
        Ok(picture)
    }

    fn kept(&self, payment_request: &str) -> Option<Bytes> {
        let mut kept = self.0.lock();
        let at = kept.iter().position(|(of, _)| of == payment_request)?;
        let entry = kept.remove(at)?;
        let picture = entry.1.clone();
        kept.push_back(entry);
        Some(picture)
    }
}

/// The picture of an invoice: `qr_<id>.png`.
pub fn qr_image(pictures: &Pictures, shop: &Shop, request: &Request) -> Result<Response, Problem> {
    let file = request.raw_path_param("file").unwrap_or_default();
    let id = file.strip_prefix("qr_").and_then(|rest| rest.strip_suffix(".png")).and_then(OrderId::parse);
    let view = orders::place::view(shop, id.ok_or_else(Problem::not_found)?)?;
    let text = view.purchase.invoice.payment_request.ok_or_else(Problem::not_found)?;
    let picture = pictures.of(&text).map_err(|error| Problem::internal(&error))?;
    Ok(Response::builder()
        .header(header::CONTENT_TYPE, "image/png")
        .header(header::CACHE_CONTROL, "public, max-age=31536000, immutable")
        .body(picture))
}

/// A QR code as a PNG picture, one bit per pixel.
pub fn png_of(text: &str) -> Result<Vec<u8>, String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|error| error.to_string())?;
    let (modules, colors) = (code.width(), code.to_colors());
    let side = (modules + 2 * MARGIN) * SCALE;
    let is_dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|module| *module < modules);
        matches!((module(x), module(y)), (Some(x), Some(y)) if colors[y * modules + x] == Color::Dark)
    };
    let mut rows = vec![0_u8; side.div_ceil(8) * side];
    for y in 0..side {
        for x in 0..side {
            if !is_dark(x, y) {
                rows[y * side.div_ceil(8) + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
    let mut picture = Vec::new();
    let side = u32::try_from(side).map_err(|error| error.to_string())?;
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(&rows).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVOICE: &str = "lnbc250n1ppet26sl62nwwgeumdp645nt4lay79lj8q9y4m006skhds5v35w9c0";

    #[test]
    fn a_picture_is_made_once_and_only_the_latest_are_kept() {
        let pictures = Pictures::default();
        let first = pictures.of(INVOICE).expect("a picture");
        assert_eq!(pictures.of(INVOICE).expect("a picture").as_ptr(), first.as_ptr(), "the very same");
        for number in 1..KEPT {
            pictures.of(&format!("{INVOICE}{number}")).expect("a picture");
        }
        assert_eq!(pictures.of(INVOICE).expect("a picture").as_ptr(), first.as_ptr(), "asked for again");
        for number in 0..KEPT {
            pictures.of(&format!("{INVOICE}x{number}")).expect("a picture");
        }
        assert_ne!(pictures.of(INVOICE).expect("a picture").as_ptr(), first.as_ptr(), "forgotten");
        assert!(pictures.0.lock().len() <= KEPT);
    }

    #[test]
    fn what_the_largest_invoice_needs_is_kept_too() {
        let picture = png_of(&INVOICE.repeat(15)).expect("a picture");
        assert!(picture.len() + INVOICE.len() * 15 <= KEPT_BYTES, "{} bytes", picture.len());
    }

    #[test]
    fn the_picture_is_a_png_with_a_white_margin() {
        let picture = png_of(INVOICE).expect("a picture");
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        reader.next_frame(&mut pixels).expect("an image");
        assert_eq!(pixels[0], 0xff, "white in the corner");
        assert!(pixels.contains(&0), "dark modules inside");
    }
}
